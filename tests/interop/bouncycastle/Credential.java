/* SPDX-License-Identifier: Apache-2.0 */
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.jcajce.JcePKMACValuesCalculator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Who asks: a reference with its secret, or a certificate with its key. Protects requests, checks MACs of answers. */
abstract class Credential {
    static final int ITERATIONS = 1000;

    abstract X500Name name();

    abstract byte[] keyIdentifier();

    abstract ProtectedPKIMessage protect(ProtectedPKIMessageBuilder message) throws Exception;

    /** Is the answer protected with our secret? Answers to a certificate never are. */
    abstract boolean hasMac(ProtectedPKIMessage answer) throws Exception;

    static Credential secret(String reference, char[] secret, boolean pbmac1) {
        return new Credential() {
            @Override
            X500Name name() {
                return new X500NameBuilder().addRDN(BCStyle.CN, reference).build();
            }

            @Override
            byte[] keyIdentifier() {
                return reference.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            }

            @Override
            ProtectedPKIMessage protect(ProtectedPKIMessageBuilder message) throws Exception {
                return message.build(pbmac1 ? new Pbmac1(secret, ITERATIONS)
                                            : macs().setIterationCount(ITERATIONS).build(secret));
            }

            @Override
            boolean hasMac(ProtectedPKIMessage answer) throws Exception {
                if (answer.hasPasswordBasedMacProtection()) {
                    return !pbmac1 && answer.verify(macs(), secret);
                }
                if (!PKCSObjectIdentifiers.id_PBMAC1.equals(
                        answer.getHeader().getProtectionAlg().getAlgorithm())) {
                    return false;
                }
                Pbmac1 mac = new Pbmac1(secret, answer.getHeader().getProtectionAlg());
                ASN1EncodableVector part = new ASN1EncodableVector();
                part.add(answer.getHeader());
                part.add(answer.getBody());
                mac.getOutputStream().write(new DERSequence(part).getEncoded(ASN1Encoding.DER));
                return pbmac1 && MessageDigest.isEqual(
                    mac.getMac(), answer.toASN1Structure().getProtection().getBytes());
            }
        };
    }

    private static PKMACBuilder macs() {
        return new PKMACBuilder(new JcePKMACValuesCalculator());
    }

    static Credential certificate(X509Certificate certificate, PrivateKey key) throws Exception {
        X509CertificateHolder holder = new X509CertificateHolder(certificate.getEncoded());
        return new Credential() {
            @Override
            X500Name name() {
                return holder.getSubject();
            }

            @Override
            byte[] keyIdentifier() {
                SubjectKeyIdentifier ski = SubjectKeyIdentifier.fromExtensions(holder.getExtensions());
                return ski == null ? null : ski.getKeyIdentifier();
            }

            @Override
            ProtectedPKIMessage protect(ProtectedPKIMessageBuilder message) throws Exception {
                return message.addCMPCertificate(holder).build(
                    new JcaContentSignerBuilder("SHA256withECDSA").build(key));
            }

            @Override
            boolean hasMac(ProtectedPKIMessage answer) {
                return false;
            }
        };
    }
}
