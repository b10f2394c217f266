/* SPDX-License-Identifier: Apache-2.0 */
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.SecureRandom;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIHeader;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.GeneralPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;

/** One CMP transaction (RFC 9483): sends, and believes an answer only when all of its header and protection is right. */
final class Transaction {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final URI server;
    private final X509Certificate anchor;
    private final Credential credential;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final byte[] id = random();
    private byte[] recipNonce;
    private List<X509Certificate> extra = List.of();

    Transaction(URI server, X509Certificate anchor, Credential credential) {
        this.server = server;
        this.anchor = anchor;
        this.credential = credential;
    }

    private static byte[] random() {
        byte[] octets = new byte[16];
        RANDOM.nextBytes(octets);
        return octets;
    }

    static void check(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException("the answer is not right: " + what);
        }
    }

    /** The body of the answer, which has this type. */
    PKIBody exchange(PKIBody request, int wanted) throws Exception {
        byte[] nonce = random();
        ProtectedPKIMessageBuilder message =
            new ProtectedPKIMessageBuilder(new GeneralName(credential.name()), new GeneralName(new X500Name(new RDN[0])))
                .setTransactionID(id)
                .setSenderNonce(nonce)
                .setMessageTime(new Date())
                .setBody(request);
        if (credential.keyIdentifier() != null) {
            message.setSenderKID(credential.keyIdentifier());
        }
        if (recipNonce != null) {
            message.setRecipNonce(recipNonce);
        }
        byte[] der = credential.protect(message).toASN1Structure().getEncoded("DER");
        HttpResponse<byte[]> response = http.send(
            HttpRequest.newBuilder(server)
                .timeout(Duration.ofSeconds(60))
                .header("Content-Type", "application/pkixcmp")
                .POST(HttpRequest.BodyPublishers.ofByteArray(der))
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
        check(response.statusCode() == 200, "HTTP " + response.statusCode());
        GeneralPKIMessage general = new GeneralPKIMessage(response.body());
        check(Arrays.equals(general.toASN1Structure().getEncoded("DER"), response.body()), "not the DER that we would write");
        check(general.hasProtection(), "no protection");
        return believe(new ProtectedPKIMessage(general), nonce, wanted);
    }

    private PKIBody believe(ProtectedPKIMessage answer, byte[] nonce, int wanted) throws Exception {
        PKIHeader header = answer.getHeader();
        check(Arrays.equals(header.getTransactionID().getOctets(), id), "transactionID");
        check(Arrays.equals(header.getRecipNonce().getOctets(), nonce), "recipNonce");
        check(header.getSenderNonce().getOctets().length >= 16, "senderNonce");
        check(header.getRecipient().equals(new GeneralName(credential.name())), "recipient");
        check(header.getMessageTime() != null, "messageTime");
        extra = new ArrayList<>();
        for (X509CertificateHolder holder : answer.getCertificates()) {
            extra.add(new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder));
        }
        check(credential.hasMac(answer) || isSigned(answer), "protection");
        if (answer.getBody().getType() == PKIBody.TYPE_ERROR) {
            refuse(ErrorMsgContent.getInstance(answer.getBody().getContent()).getPKIStatusInfo());
        }
        check(answer.getBody().getType() == wanted, "body of type " + answer.getBody().getType());
        recipNonce = header.getSenderNonce().getOctets();
        return answer.getBody();
    }

    /** By an RA: its certificate comes first, leads to our anchor, and names the sender (RFC 9483 3.1, 3.3). */
    private boolean isSigned(ProtectedPKIMessage answer) throws Exception {
        if (extra.isEmpty()) {
            return false;
        }
        X509Certificate signer = extra.get(0);
        ASN1OctetString kid = answer.getHeader().getSenderKID();
        validate(signer);
        check(answer.getHeader().getSender().equals(new GeneralName(
                  new X509CertificateHolder(signer.getEncoded()).getSubject())), "sender");
        check(kid != null, "senderKID");
        return answer.verify(new JcaContentVerifierProviderBuilder().setProvider("BC").build(signer));
    }

    /** The path to our anchor, through what the last answer brought. */
    void validate(X509Certificate certificate) throws Exception {
        List<X509Certificate> path = new ArrayList<>(List.of(certificate));
        for (X509Certificate last = certificate; !last.getIssuerX500Principal().equals(anchor.getSubjectX500Principal());) {
            X509Certificate child = last;
            last = extra.stream()
                       .filter(c -> c.getSubjectX500Principal().equals(child.getIssuerX500Principal()))
                       .findFirst()
                       .orElseThrow(() -> new IllegalStateException("no issuer of " + child.getSubjectX500Principal()));
            path.add(last);
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX", "BC").validate(
            CertificateFactory.getInstance("X.509", "BC").generateCertPath(path), parameters);
    }

    /** Ends with what the RA says of the request. */
    static void refuse(PKIStatusInfo status) {
        StringBuilder text = new StringBuilder("status " + status.getStatus());
        if (status.getFailInfo() != null) {
            byte[] octets = status.getFailInfo().getBytes();
            for (int bit = 0; bit < octets.length * 8; bit++) {
                if ((octets[bit / 8] >> 7 - bit % 8 & 1) != 0) {
                    text.append(", failInfo ").append(bit);
                }
            }
        }
        throw new Refused(text.toString());
    }

    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused(String text) {
            super(text);
        }
    }
}
