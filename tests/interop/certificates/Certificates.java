/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates ROOT ISSUING ROOT-CRL ISSUING-CRL CERTIFICATE...: what the JDK thinks of them. Each is
 * parsed and its path built to the root by PKIX, with both CRLs wherever the certificate names one
 * (RFC 9608 has none for the short-lived), and said in one line.
 */
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CRL;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public final class Certificates {
    private static final String CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

    private Certificates() {
    }

    private static X509Certificate certificate(CertificateFactory factory, String file) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            return (X509Certificate) factory.generateCertificate(in);
        }
    }

    private static CRL crl(CertificateFactory factory, String file) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            return factory.generateCRL(in);
        }
    }

    private static void validate(CertificateFactory factory, X509Certificate root, X509Certificate issuing,
            CertStore crls, X509Certificate certificate) throws Exception {
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        CertPath path = factory.generateCertPath(List.of(certificate, issuing));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        boolean revocable = certificate.getExtensionValue(CRL_DISTRIBUTION_POINTS) != null;
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();

        parameters.addCertStore(crls);
        parameters.setRevocationEnabled(revocable);
        if (revocable) {
            checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS,
                    PKIXRevocationChecker.Option.NO_FALLBACK));
            parameters.addCertPathChecker(checker);
        }
        validator.validate(path, parameters);
    }

    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = certificate(factory, arguments[0]);
        X509Certificate issuing = certificate(factory, arguments[1]);
        CertStore crls = CertStore.getInstance("Collection", new CollectionCertStoreParameters(
                List.of(crl(factory, arguments[2]), crl(factory, arguments[3]))));

        for (int i = 4; i < arguments.length; i++) {
            X509Certificate certificate = certificate(factory, arguments[i]);
            List<String> purposes = certificate.getExtendedKeyUsage();

            if (certificate.hasUnsupportedCriticalExtension()) {
                throw new IllegalStateException(arguments[i] + ": a critical extension that the JDK does not know");
            }
            try {
                validate(factory, root, issuing, crls, certificate);
            } catch (Exception e) {
                throw new IllegalStateException(arguments[i], e);
            }
            System.out.printf("%s client %s server %s, names %d%n", arguments[i],
                    purposes == null || purposes.contains(CLIENT_AUTH) ? "yes" : "no",
                    purposes == null || purposes.contains(SERVER_AUTH) ? "yes" : "no",
                    certificate.getSubjectAlternativeNames() == null
                            ? 0 : certificate.getSubjectAlternativeNames().size());
        }
    }
}
