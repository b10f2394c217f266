// SPDX-License-Identifier: Apache-2.0
// What a Java 17 HttpClient with its defaults (which offers HTTP/2 by Upgrade) does with an RA:
//   WebClient cmp URL IR ANSWER              posts a CMP message, twice on one connection
//   WebClient crl URL ISSUER                 HEAD, GET, both conditions; verifies the CRL
//   WebClient api URL ROOT CLIENT.p12 DOCUMENT   a registrar: registers and looks
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

final class WebClient {
    private static final char[] PASSWORD = "client".toCharArray();
    private final HttpClient client;

    private WebClient(HttpClient client) {
        this.client = client;
    }

    private static void expect(String what, Object wanted, Object got) {
        if (!wanted.equals(got)) {
            throw new IllegalStateException(what + ": expected " + wanted + ", got " + got);
        }
        System.out.println("ok: " + what + ": " + got);
    }

    private HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static HttpRequest.Builder to(String uri) {
        return HttpRequest.newBuilder(URI.create(uri));
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElseThrow(() -> new IllegalStateException("no " + name));
    }

    private static X509Certificate certificate(String path) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private void cmp(String uri, String ir, String answer) throws Exception {
        HttpResponse<byte[]> first = null;
        for (int i = 0; i < 2; i++) { // the second one, on the same connection, is answered as a replay
            HttpResponse<byte[]> response = send(to(uri).header("Content-Type", "application/pkixcmp")
                .POST(BodyPublishers.ofByteArray(Files.readAllBytes(Path.of(ir)))));
            expect("POST of CMP", 200, response.statusCode());
            expect("its type", "application/pkixcmp", header(response, "Content-Type"));
            first = first == null ? response : first;
        }
        Files.write(Path.of(answer), first.body());
    }

    private void crl(String uri, String issuer) throws Exception {
        HttpResponse<byte[]> get = send(to(uri));
        expect("GET of a CRL", 200, get.statusCode());
        X509CRL crl = (X509CRL) CertificateFactory.getInstance("X.509")
            .generateCRL(new java.io.ByteArrayInputStream(get.body()));
        crl.verify(certificate(issuer).getPublicKey());
        HttpResponse<byte[]> head = send(to(uri).method("HEAD", BodyPublishers.noBody()));
        expect("HEAD of it", 200, head.statusCode());
        expect("its Content-Length", Integer.toString(get.body().length), header(head, "Content-Length"));
        expect("its ETag", header(get, "ETag"), header(head, "ETag"));
        expect("If-None-Match", 304, send(to(uri).header("If-None-Match", header(get, "ETag"))).statusCode());
        expect("If-Modified-Since", 304,
            send(to(uri).header("If-Modified-Since", header(get, "Last-Modified"))).statusCode());
    }

    private void api(String uri, String document) throws Exception {
        byte[] cms = Files.readAllBytes(Path.of(document));
        HttpResponse<byte[]> made = send(to(uri + "/v1/registrations").header("Content-Type", "application/cms")
            .POST(BodyPublishers.ofByteArray(cms)));
        expect("register", 201, made.statusCode());
        String one = uri + header(made, "Location");
        HttpResponse<byte[]> list = send(to(uri + "/v1/registrations?limit=10"));
        expect("list", 200, list.statusCode());
        expect("in the list", true, Pattern.compile(one.substring(one.lastIndexOf('/') + 1))
            .matcher(new String(list.body())).find());
        expect("show", 200, send(to(one)).statusCode());
        HttpResponse<byte[]> head = send(to(one).method("HEAD", BodyPublishers.noBody()));
        expect("HEAD of it", 200, head.statusCode());
        expect("without content", 0, head.body().length);
        expect("the same again", 409, send(to(uri + "/v1/registrations").header("Content-Type", "application/cms")
            .POST(BodyPublishers.ofByteArray(cms))).statusCode());
    }

    private static HttpClient registrar(String root, String store) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(store))) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("root", certificate(root));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(context).build();
    }

    public static void main(String[] args) throws Exception {
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        switch (args[0]) {
            case "cmp" -> new WebClient(HttpClient.newHttpClient()).cmp(rest[0], rest[1], rest[2]);
            case "crl" -> new WebClient(HttpClient.newHttpClient()).crl(rest[0], rest[1]);
            case "api" -> new WebClient(registrar(rest[1], rest[2])).api(rest[0], rest[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }
}
