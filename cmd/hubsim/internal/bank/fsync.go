package bank

import (
	"encoding/binary"
	"errors"
	"io"
)

// The SFTP packets that fsync@openssh.com needs (draft-ietf-secsh-filexfer-02).
const (
	typeVersion  = 2
	typeFsetstat = 10
	typeExtended = 200
	fsyncName    = "fsync@openssh.com"
	maxPacket    = 256 << 10
)

// withFsync lets a server that does not know fsync@openssh.com offer it, as
// OpenSSH does: the offer is added to its VERSION, and an fsync comes to it as
// a FSETSTAT of nothing, which files answers by syncing.
func withFsync(rw io.ReadWriteCloser) io.ReadWriteCloser { return &fsyncer{ReadWriteCloser: rw} }

type fsyncer struct {
	io.ReadWriteCloser
	in      []byte // of the packet being handed to the server
	out     []byte // of the VERSION being collected
	offered bool
}

// Read hands whole packets on, rewritten where they ask for an fsync.
func (f *fsyncer) Read(p []byte) (int, error) {
	if len(f.in) == 0 {
		packet, err := readPacket(f.ReadWriteCloser)
		if err != nil {
			return 0, err
		}
		f.in = asFsetstat(packet)
	}
	n := copy(p, f.in)
	f.in = f.in[n:]
	return n, nil
}

func readPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	if n == 0 || n > maxPacket {
		return nil, errors.New("sftp packet of a wrong length")
	}
	packet := append(head, make([]byte, n)...)
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}

// asFsetstat turns an fsync packet into FSETSTAT with no attributes, and
// leaves all others.
func asFsetstat(packet []byte) []byte {
	if packet[4] != typeExtended || len(packet) < 13 {
		return packet
	}
	id, rest := packet[5:9], packet[9:]
	n := binary.BigEndian.Uint32(rest)
	if int(n) != len(fsyncName) || len(rest) < 4+len(fsyncName) || string(rest[4:4+n]) != fsyncName {
		return packet
	}
	body := append([]byte{typeFsetstat}, id...)
	body = append(body, rest[4+n:]...) // the handle
	body = append(body, 0, 0, 0, 0)    // no attributes
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// Write passes everything on, after the server's first packet, its VERSION,
// got the offer added.
func (f *fsyncer) Write(p []byte) (int, error) {
	if f.offered {
		return f.ReadWriteCloser.Write(p)
	}
	f.out = append(f.out, p...)
	if len(f.out) < 5 || len(f.out) < 4+int(binary.BigEndian.Uint32(f.out)) {
		return len(p), nil
	}
	f.offered = true
	if f.out[4] == typeVersion {
		for _, s := range []string{fsyncName, "1"} {
			f.out = binary.BigEndian.AppendUint32(f.out, uint32(len(s)))
			f.out = append(f.out, s...)
		}
		binary.BigEndian.PutUint32(f.out, uint32(len(f.out)-4))
	}
	if _, err := f.ReadWriteCloser.Write(f.out); err != nil {
		return 0, err
	}
	return len(p), nil
}
