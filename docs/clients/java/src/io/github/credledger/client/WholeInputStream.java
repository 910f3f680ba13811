package io.github.credledger.client;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** The body of an answer, whose end is an error if it comes before the length that was said: to the JDK it is none. */
final class WholeInputStream extends FilterInputStream {
    private long missing; // bytes; negative if no length was said

    WholeInputStream(InputStream in, long length) {
        super(in);
        missing = length;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] b, int off, int len) throws IOException {
        int n = in.read(b, off, len);
        if (n < 0 && missing > 0) {
            throw new EOFException("the answer breaks off");
        }
        if (missing > 0) {
            missing -= n;
        }
        return n;
    }
}
