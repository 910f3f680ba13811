package fabric

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// small is a good topology that the tests below spoil.
const small = `
authority: data-bureau
organisations:
  - id: data-bureau
    orderers:
      - port: 7110
    peers:
      - port: 7120
  - id: civil-affairs
    peers:
      - port: 7220
`

func TestDefaultTopology(t *testing.T) {
	file := filepath.Join(t.TempDir(), "topology.yaml")
	if err := os.WriteFile(file, DefaultTopology(), 0o644); err != nil {
		t.Fatal(err)
	}
	topology, err := LoadTopology(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(file), "fabric-network"); topology.Directory != want {
		t.Errorf("directory %s, want %s", topology.Directory, want)
	}
	var names []string
	for _, p := range topology.nodes(1) {
		if p.Listen != "127.0.0.1" {
			t.Errorf("%s listens on %s", p.name, p.Listen)
		}
		names = append(names, p.name)
	}
	const want = "orderer1.data-bureau orderer1.civil-affairs orderer1.natural-resources " +
		"peer1.data-bureau peer1.civil-affairs peer1.natural-resources peer1.market-regulation " +
		"chaincode1.data-bureau chaincode1.civil-affairs chaincode1.natural-resources chaincode1.market-regulation"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("processes %s", got)
	}
	// What is commented out is good as well, and what it says of defaults is so.
	uncommented := strings.NewReplacer("# programs:", "programs:", "# endorsement:", "endorsement:", "# heartbeat:", "heartbeat:",
		"#   home:", "  home:", "#   every:", "  every:", "# supervisor:", "supervisor:", "    # certificates:", "    certificates:").Replace(string(defaultTopology))
	full, err := ParseTopology([]byte(uncommented), "/base")
	if err != nil {
		t.Fatal(err)
	}
	if full.Endorsement != topology.Policy() {
		t.Errorf("the example of an endorsement policy is %s, the default %s", full.Endorsement, topology.Policy())
	}
	if full.Heartbeat.Every != time.Minute || full.Programs != "/usr/lib/credledger/fabric" || full.Supervisor != "systemd" ||
		full.Organisations[0].Certificates != "/etc/credledger/data-bureau" {
		t.Errorf("%+v", full)
	}
}

func TestTopologyDefaults(t *testing.T) {
	topology, err := ParseTopology([]byte(small+`    host: peers.example
    listen: 10.0.0.7
heartbeat:
  home: home
`), "/base")
	if err != nil {
		t.Fatal(err)
	}
	if topology.Directory != "/base/fabric-network" || topology.Chaincode.Version != 1 || topology.Ordering.BatchTimeout != 50*time.Millisecond ||
		topology.Heartbeat.Home != "/base/home" || topology.Heartbeat.Every != time.Minute {
		t.Errorf("%+v", topology)
	}
	peer := topology.peersOf(topology.organisation("civil-affairs"))[0]
	if peer.address(0) != "peers.example:7220" || peer.listenAddress(2) != "10.0.0.7:7222" {
		t.Errorf("%s listens on %s", peer.address(0), peer.listenAddress(2))
	}
	chaincode := func(version int) string {
		p := topology.nodes(version)[4]
		return p.name + " " + p.address(p.port())
	}
	if v1, v2 := chaincode(1), chaincode(2); v1 != "chaincode1.civil-affairs peers.example:7223" || v2 != "chaincode1.civil-affairs peers.example:7224" || v1 != chaincode(3) {
		t.Errorf("chaincode servers %s, %s, %s", v1, v2, chaincode(3))
	}
}

func TestHostsAreListenedOn(t *testing.T) {
	for host, listen := range map[string]string{"127.0.0.1": "127.0.0.1", "10.1.2.3": "10.1.2.3", "peer.example": "0.0.0.0"} {
		topology, err := ParseTopology([]byte(small+"    host: "+host+"\n"), "/")
		if err != nil {
			t.Fatal(err)
		}
		if p := topology.Organisations[1].Peers[0]; p.Listen != listen || p.Host != host {
			t.Errorf("host %s is listened on at %s", host, p.Listen)
		}
	}
}

func TestBadTopologies(t *testing.T) {
	for name, test := range map[string]struct{ from, to, code, says string }{
		"empty":                  {small, "", CodeTopology, "empty"},
		"no mapping":             {small, "[]", CodeTopology, ""},
		"unknown key":            {"authority:", "colour: red\nauthority:", CodeTopology, "colour"},
		"unknown inner key":      {"    peers:", "    servers: 3\n    peers:", CodeTopology, "servers"},
		"key twice":              {"authority:", "authority: civil-affairs\nauthority:", CodeTopology, "authority"},
		"two documents":          {"  - id: civil-affairs\n    peers:\n      - port: 7220\n", "  - id: civil-affairs\n    peers:\n      - port: 7220\n---\na: 1\n", CodeTopology, "more than one"},
		"unknown authority":      {"authority: data-bureau", "authority: nobody", CodeTopology, "nobody"},
		"no authority":           {"authority: data-bureau\n", "", CodeTopology, "authority"},
		"one organisation":       {"  - id: civil-affairs\n    peers:\n      - port: 7220\n", "", CodeTopology, "2 to 64"},
		"organisation twice":     {"id: civil-affairs", "id: data-bureau", CodeTopology, "twice"},
		"id in capitals":         {"id: civil-affairs", "id: Civil-Affairs", CodeTopology, "Civil-Affairs"},
		"id too long":            {"id: civil-affairs", "id: " + strings.Repeat("a", 33), CodeTopology, "32"},
		"id of orderers":         {"id: civil-affairs", "id: data-bureau-orderer", CodeTopology, "orderers of data-bureau"},
		"no peers":               {"    peers:\n      - port: 7220\n", "    peers: []\n", CodeTopology, "peers"},
		"no orderers":            {"    orderers:\n      - port: 7110\n", "", CodeTopology, "orderers"},
		"no port":                {"port: 7220", "host: 127.0.0.1", CodeTopology, "port"},
		"port too high":          {"port: 7220", "port: 65535", CodeTopology, "65530"},
		"port is no number":      {"port: 7220", "port: seven", CodeTopology, ""},
		"ports overlap":          {"port: 7220", "port: 7124", CodeTopology, "127.0.0.1:7124"},
		"port of an upgrade":     {"port: 7110", "port: 7118", CodeTopology, "127.0.0.1:7120"},
		"host with a space":      {"port: 7220", "port: 7220\n        host: a b", CodeTopology, "a b"},
		"host with a newline":    {"port: 7220", "port: 7220\n        host: \"a\\nb\"", CodeTopology, "a\\nb"},
		"listen on a name":       {"port: 7220", "port: 7220\n        listen: localhost", CodeTopology, "localhost"},
		"batch timeout too long": {"authority:", "ordering: {batchTimeout: 1m}\nauthority:", CodeTopology, "batchTimeout"},
		"batch timeout no unit":  {"authority:", "ordering: {batchTimeout: 50}\nauthority:", CodeTopology, ""},
		"version negative":       {"authority:", "chaincode: {version: -1}\nauthority:", CodeTopology, "version"},
		"heartbeat without home": {"authority:", "heartbeat: {every: 1m}\nauthority:", CodeTopology, "heartbeat.home"},
		"heartbeat too rare":     {"authority:", "heartbeat: {home: h, every: 2h}\nauthority:", CodeTopology, "heartbeat.every"},
		"unknown supervisor":     {"authority:", "supervisor: cron\nauthority:", CodeTopology, "systemd"},
		"weak endorsement":       {"authority:", "endorsement: OR('data-bureau.peer', 'civil-affairs.peer')\nauthority:", CodeEndorsementWeak, "alone"},
		"bad endorsement":        {"authority:", "endorsement: AND('data-bureau.peer'\nauthority:", CodeEndorsementInvalid, "character 23"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(small, test.from, test.to, 1)
			if text == small {
				t.Fatal("the test spoils nothing")
			}
			_, err := ParseTopology([]byte(text), "/")
			if Code(err) != test.code || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %s with %q", err, test.code, test.says)
			}
		})
	}
}

func TestTopologyFileErrors(t *testing.T) {
	if _, err := LoadTopology(filepath.Join(t.TempDir(), "absent")); Code(err) != CodeTopology || !strings.Contains(err.Error(), "absent") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, make([]byte, maxTopology+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTopology(file); Code(err) != CodeTopology || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

func FuzzParseTopology(f *testing.F) {
	f.Add(defaultTopology)
	f.Add([]byte(small))
	f.Add([]byte("organisations: [{id: a, peers: [{port: 1}], orderers: [{port: 70}]}, {id: b, peers: [{port: 10}]}]\nauthority: a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		topology, err := ParseTopology(b, "/")
		if err != nil {
			if Code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		// Whatever is accepted has the one property that all rests on.
		policy, err := parsePolicy(topology.Policy())
		if err != nil {
			t.Fatal(err)
		}
		if policy.satisfied(map[string]bool{topology.Authority: true}) {
			t.Error("the authority alone can endorse")
		}
	})
}
