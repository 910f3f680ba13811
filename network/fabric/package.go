package fabric

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Names on the network, the same everywhere.
const (
	Channel       = "credledger"
	ChaincodeName = "credledger"
)

// label is the label of a version's package.
func label(version int) string { return fmt.Sprintf("%s_%d", ChaincodeName, version) }

// chaincodePackage makes the package that peers install: that the chaincode of this version is a
// service. Where the service is, each peer knows from its own configuration, so that the package and
// its id are the same for all organisations, byte for byte. Nothing in it is compressed, since the
// output of a compressor may change with its version.
func chaincodePackage(version int) (id string, archive []byte, err error) {
	code, err := pack([]file{{"connection.json", []byte("{}")}})
	if err != nil {
		return "", nil, err
	}
	metadata := fmt.Sprintf(`{"type":"ccaas","label":%q}`, label(version))
	archive, err = pack([]file{{"metadata.json", []byte(metadata)}, {"code.tar.gz", code}})
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(archive)
	return label(version) + ":" + hex.EncodeToString(sum[:]), archive, nil
}

type file struct {
	name    string
	content []byte
}

// pack makes a tar.gz of files without owners and times.
func pack(files []file) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
