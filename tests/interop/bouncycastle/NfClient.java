/* SPDX-License-Identifier: Apache-2.0 */
import java.io.FileReader;
import java.io.FileWriter;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertResponse;
import org.bouncycastle.asn1.cmp.GenMsgContent;
import org.bouncycastle.asn1.cmp.GenRepContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.cmp.RevDetails;
import org.bouncycastle.asn1.cmp.RevRepContent;
import org.bouncycastle.asn1.cmp.RevReqContent;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.CertTemplateBuilder;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.CertificateConfirmationContentBuilder;
import org.bouncycastle.cert.crmf.CertificateRequestMessageBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * A network function whose CMP stack is Bouncy Castle. Exit status 0, or 3 when the RA refuses: "refused: ..." on
 * standard error; everything else is a failure.
 *
 * <pre>
 * NfClient URL ANCHOR enrol-pbm    REFERENCE SECRET-FILE OUT [SUBJECT]    OUT.pem and OUT.key
 * NfClient URL ANCHOR enrol-pbmac1 REFERENCE SECRET-FILE OUT [SUBJECT]
 * NfClient URL ANCHOR enrol        CERTIFICATE KEY OUT [SUBJECT]          ir
 * NfClient URL ANCHOR renew        CERTIFICATE KEY OUT          kur
 * NfClient URL ANCHOR revoke       CERTIFICATE KEY REASON       rr
 * NfClient URL ANCHOR cacerts      CERTIFICATE KEY              genm
 * </pre>
 */
final class NfClient {
    private NfClient() {
    }

    private static X509Certificate readCertificate(String file) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            return new JcaX509CertificateConverter().setProvider("BC").getCertificate(
                (X509CertificateHolder) parser.readObject());
        }
    }

    private static PrivateKey readKey(String file) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(file))) {
            Object object = parser.readObject();
            PrivateKeyInfo key = object instanceof PEMKeyPair ? ((PEMKeyPair) object).getPrivateKeyInfo()
                                                              : (PrivateKeyInfo) object;
            return new JcaPEMKeyConverter().setProvider("BC").getPrivateKey(key);
        }
    }

    private static void write(String file, Object object) throws Exception {
        try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(file))) {
            writer.writeObject(object);
        }
    }

    private static KeyPair newKey() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("P-256"));
        return generator.generateKeyPair();
    }

    /** ir or kur, certConf, pkiConf; the certificate and its key into files. */
    private static void certify(Transaction transaction, int request, int answer, X500Name subject, String out)
        throws Exception {
        KeyPair key = newKey();
        CertificateRequestMessageBuilder builder =
            new CertificateRequestMessageBuilder(BigInteger.ZERO)
                .setSubject(subject)
                .setPublicKey(SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()))
                .setProofOfPossessionSigningKeySigner(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()));
        PKIBody body = transaction.exchange(
            new PKIBody(request, new CertReqMessages(builder.build().toASN1Structure())), answer);
        CertResponse[] responses = CertRepMessage.getInstance(body.getContent()).getResponse();
        Transaction.check(responses.length == 1 && responses[0].getCertReqId().getValue().signum() == 0, "responses");
        if (responses[0].getCertifiedKeyPair() == null) {
            Transaction.refuse(responses[0].getStatus());
        }
        X509CertificateHolder holder = new X509CertificateHolder(
            responses[0].getCertifiedKeyPair().getCertOrEncCert().getCertificate().getX509v3PKCert());
        X509Certificate certificate = new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder);
        transaction.validate(certificate);
        Transaction.check(Arrays.equals(certificate.getPublicKey().getEncoded(), key.getPublic().getEncoded()), "the key");
        Transaction.check(certificate.getCriticalExtensionOIDs().contains(Extension.subjectAlternativeName.getId()) &&
                              certificate.getSubjectAlternativeNames().size() >= 2, "subjectAltName");
        transaction.exchange(
            new PKIBody(PKIBody.TYPE_CERT_CONFIRM,
                        new CertificateConfirmationContentBuilder()
                            .addAcceptedCertificate(holder, BigInteger.ZERO)
                            .build(new JcaDigestCalculatorProviderBuilder().build())
                            .toASN1Structure()),
            PKIBody.TYPE_CONFIRM);
        write(out + ".pem", certificate);
        write(out + ".key", key.getPrivate());
    }

    private static void revoke(Transaction transaction, X509Certificate certificate, int reason) throws Exception {
        X509CertificateHolder holder = new X509CertificateHolder(certificate.getEncoded());
        RevDetails details = new RevDetails(
            new CertTemplateBuilder()
                .setIssuer(holder.getIssuer())
                .setSerialNumber(new org.bouncycastle.asn1.ASN1Integer(holder.getSerialNumber()))
                .build(),
            new Extensions(new Extension(Extension.reasonCode, false, new ASN1Enumerated(reason).getEncoded())));
        PKIBody body = transaction.exchange(new PKIBody(PKIBody.TYPE_REVOCATION_REQ, new RevReqContent(details)),
                                            PKIBody.TYPE_REVOCATION_REP);
        PKIStatusInfo[] status = RevRepContent.getInstance(body.getContent()).getStatus();
        Transaction.check(status.length == 1, "status");
        if (status[0].getStatus().signum() != 0) {
            Transaction.refuse(status[0]);
        }
    }

    private static void caCertificates(Transaction transaction) throws Exception {
        PKIBody body = transaction.exchange(
            new PKIBody(PKIBody.TYPE_GEN_MSG, new GenMsgContent(new InfoTypeAndValue(CMPObjectIdentifiers.id_it_caCerts))),
            PKIBody.TYPE_GEN_REP);
        InfoTypeAndValue[] infos = GenRepContent.getInstance(body.getContent()).toInfoTypeAndValueArray();
        Transaction.check(infos.length == 1 && infos[0].getInfoType().equals(CMPObjectIdentifiers.id_it_caCerts), "infoType");
        for (Object one : ASN1Sequence.getInstance(infos[0].getInfoValue())) {
            X509CertificateHolder holder =
                new X509CertificateHolder(CMPCertificate.getInstance(one).getX509v3PKCert());
            transaction.validate(new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder));
            System.out.println(holder.getSubject());
        }
    }

    private static X500Name subject(String[] args) {
        return new X500Name(args.length > 6 ? args[6] : "CN=bouncy");
    }

    private static void run(String[] args) throws Exception {
        URI server = URI.create(args[0]);
        X509Certificate anchor = readCertificate(args[1]);
        String command = args[2];

        if (command.startsWith("enrol-")) {
            char[] secret = Files.readString(Path.of(args[4])).strip().toCharArray();
            Credential credential = Credential.secret(args[3], secret, command.equals("enrol-pbmac1"));
            certify(new Transaction(server, anchor, credential), PKIBody.TYPE_INIT_REQ, PKIBody.TYPE_INIT_REP,
                    subject(args), args[5]);
            return;
        }
        X509Certificate certificate = readCertificate(args[3]);
        Transaction transaction =
            new Transaction(server, anchor, Credential.certificate(certificate, readKey(args[4])));
        switch (command) {
        case "enrol":
            certify(transaction, PKIBody.TYPE_INIT_REQ, PKIBody.TYPE_INIT_REP, subject(args), args[5]);
            break;
        case "renew":
            certify(transaction, PKIBody.TYPE_KEY_UPDATE_REQ, PKIBody.TYPE_KEY_UPDATE_REP,
                    new X509CertificateHolder(certificate.getEncoded()).getSubject(), args[5]);
            break;
        case "revoke":
            revoke(transaction, certificate, Integer.parseInt(args[5]));
            break;
        case "cacerts":
            caCertificates(transaction);
            break;
        default:
            throw new IllegalArgumentException(command);
        }
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        try {
            run(args);
        } catch (Transaction.Refused e) {
            System.err.println("refused: " + e.getMessage());
            System.exit(3);
        }
    }
}
