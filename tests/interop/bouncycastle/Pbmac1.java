/* SPDX-License-Identifier: Apache-2.0 */
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PBKDF2Params;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.operator.GenericKey;
import org.bouncycastle.operator.MacCalculator;

/** PBMAC1 (RFC 9481 6.1.2) with PBKDF2 and HMAC-SHA-256, which Bouncy Castle 1.72 does not have itself. */
final class Pbmac1 implements MacCalculator {
    private static final int KEY_BITS = 256;

    private final AlgorithmIdentifier algorithm;
    private final byte[] key;
    private final ByteArrayOutputStream octets = new ByteArrayOutputStream();

    /** With a salt of its own. */
    Pbmac1(char[] secret, int iterations) throws GeneralSecurityException {
        this(secret, parameters(iterations));
    }

    /** With the salt and the count of this AlgorithmIdentifier. */
    Pbmac1(char[] secret, AlgorithmIdentifier algorithm) throws GeneralSecurityException {
        AlgorithmIdentifier kdf = AlgorithmIdentifier.getInstance(
            ASN1Sequence.getInstance(algorithm.getParameters()).getObjectAt(0));
        PBKDF2Params params = PBKDF2Params.getInstance(kdf.getParameters());
        this.algorithm = algorithm;
        this.key = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                       .generateSecret(new PBEKeySpec(secret, params.getSalt(),
                                                      params.getIterationCount().intValueExact(),
                                                      KEY_BITS))
                       .getEncoded();
    }

    private static AlgorithmIdentifier parameters(int iterations) {
        byte[] salt = new byte[16];
        new SecureRandom().nextBytes(salt);
        AlgorithmIdentifier hmac =
            new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256, DERNull.INSTANCE);
        AlgorithmIdentifier kdf =
            new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBKDF2,
                                    new PBKDF2Params(salt, iterations, KEY_BITS / 8, hmac));
        return new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBMAC1,
                                       new DERSequence(new AlgorithmIdentifier[] {kdf, hmac}));
    }

    @Override
    public AlgorithmIdentifier getAlgorithmIdentifier() {
        return algorithm;
    }

    @Override
    public OutputStream getOutputStream() {
        return octets;
    }

    @Override
    public byte[] getMac() {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(octets.toByteArray());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public GenericKey getKey() {
        return new GenericKey(algorithm, key);
    }
}
