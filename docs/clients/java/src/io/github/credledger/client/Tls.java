package io.github.credledger.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** Sockets for services whose certificates are by an authority of the government's own network. */
public final class Tls {
    private Tls() {
    }

    /** Trusts the authorities in a PEM file, and no others. */
    public static SSLSocketFactory trusting(Path authorities) throws IOException {
        return sockets(authorities, null);
    }

    /** Trusts as {@link #trusting}, and proves who calls with the certificate in a PKCS #12 file, in place of a token. */
    public static SSLSocketFactory provingWith(Path authorities, Path pkcs12, char[] password) throws IOException {
        try (InputStream in = Files.newInputStream(pkcs12)) {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(in, password);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, password);
            return sockets(authorities, keys.getKeyManagers());
        } catch (GeneralSecurityException e) {
            throw new IOException("read the certificate in " + pkcs12, e);
        }
    }

    private static SSLSocketFactory sockets(Path authorities, KeyManager[] keys) throws IOException {
        try (InputStream in = Files.newInputStream(authorities)) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            int n = 0;
            for (Certificate authority : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("authority-" + n++, authority);
            }
            if (n == 0) {
                throw new IOException(authorities + " holds no certificate");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (GeneralSecurityException e) {
            throw new IOException("read the authorities in " + authorities, e);
        }
    }
}
