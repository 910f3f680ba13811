package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	network "github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/qr"
)

func demoCommand() *command {
	return &command{
		name: "demo", args: "[--network]",
		summary: "the whole story on a throw-away home, with synthetic licences",
		detail: "Runs the other commands, each shown as it is run, in a new directory for temporary files; you can\n" +
			"go on from there by hand. Everybody in it is made up. With --network the ledger is on a network of\n" +
			"Hyperledger Fabric that the demo brings up on this machine and takes down at its end. Fabric's programs\n" +
			"are built from source the first time, which takes about two minutes.",
		flags: func(c *call) {
			c.options = c.flags.Bool("network", false, "on a network of Hyperledger Fabric, not in this process")
		},
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 || c.flags.Changed("home") {
				return usagef("demo takes no arguments, and makes a home of its own")
			}
			dir, err := os.MkdirTemp("", "credledger-demo-")
			if err != nil {
				return err
			}
			d := &demo{call: c, dir: dir, out: c.stdout, network: *c.options.(*bool)}
			if c.json {
				d.out = io.Discard
			}
			if err = d.tell(ctx); err == nil {
				return nil
			}
			if ctx.Err() != nil {
				err = failf(codeInterrupted, "interrupted")
			}
			if d.network {
				err = errors.Join(err, d.end(ctx))
			}
			return fmt.Errorf("%w (what there is of the demo is in %s)", err, dir)
		},
	}
}

// A demo tells the story. Its steps are the real commands.
type demo struct {
	*call
	dir      string
	network  bool      // the ledger is on one
	out      io.Writer // of the story
	chapter  int
	commands []demoCommandRun
}

// A demoCommandRun is a command of the story, in its answer in JSON.
type demoCommandRun struct {
	Command string `json:"command"`
	Exit    int    `json:"exit"`
}

func (d *demo) tell(ctx context.Context) error {
	began := time.Now()
	acts := []func(context.Context) error{d.found, d.issue, d.present, d.release, d.attack, d.withdraw, d.audit}
	if d.network {
		acts = append(append([]func(context.Context) error{d.bringUp}, acts...), d.takeDown)
	}
	d.say("部门制发证照,把摘要签名后存上各部门共同的账本;持证人只出示其中几项;任何部门一次核验,就知道是否真实、现在是否有效,\n不必再收一遍材料。账本上没有任何个人信息。以下人物和证照均为虚构。",
		"Departments issue licences and anchor their hashes, signed, on a ledger that they share. A holder shows some fields\n"+
			"of a licence; any other department verifies in one call that they are genuine and still hold, without collecting\n"+
			"the papers again. Nothing personal is on the ledger. Everybody in this story is made up.")
	for _, act := range acts {
		if err := act(ctx); err != nil {
			return err
		}
	}
	d.say("证核链演示结束,用时 %s。所有文件在 %s,可整个删除,也可接着试:",
		"That was CredLedger, in %s. All files are in %s: remove it, or go on from there:",
		time.Since(began).Round(100*time.Millisecond), d.dir)
	fmt.Fprintf(d.out, "\n$ export CREDLEDGER_HOME=%s\n", d.path("home"))
	answer := map[string]any{"directory": d.dir, "home": d.path("home"), "commands": d.commands}
	if d.network {
		fmt.Fprintf(d.out, "$ credledger network up --topology %s\n", d.path(topologyFile))
		answer["topology"] = d.path(topologyFile)
	}
	fmt.Fprintln(d.out, "$ credledger ledger show")
	if d.json {
		writeJSON(d.stdout, answer)
	}
	return nil
}

// say prints a sentence of the story.
func (d *demo) say(zh, en string, args ...any) {
	fmt.Fprintf(d.out, "\n"+d.pick(zh, en)+"\n", args...)
}

// head begins a chapter.
func (d *demo) head(zh, en string) {
	d.chapter++
	fmt.Fprintf(d.out, "\n== %d. %s ==\n", d.chapter, d.pick(zh, en))
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// short leaves out the demo's directory where a name in it stands.
func (d *demo) short(text string) string {
	return strings.ReplaceAll(text, d.dir+string(filepath.Separator), "")
}

// do runs a command in the demo's home, shows it with its output, and wants its exit code.
func (d *demo) do(ctx context.Context, want int, args ...string) error {
	out, err := d.quietly(ctx, want, args...)
	d.showCommand(args)
	for line := range strings.Lines(out) {
		fmt.Fprintf(d.out, "  %s", d.short(line))
	}
	return err
}

func (d *demo) showCommand(args []string) {
	fmt.Fprintf(d.out, "\n$ credledger %s\n", d.short(strings.Join(args, " ")))
}

// quietly is do without showing anything.
func (d *demo) quietly(ctx context.Context, want int, args ...string) (string, error) {
	var out, problems bytes.Buffer
	env := &environment{stdin: bytes.NewReader(nil), stdout: &out, stderr: &problems, getenv: d.getenv, now: d.now}
	where := []string{"--home", d.path("home")}
	if args[0] == "network" {
		where = []string{"--topology", d.path(topologyFile)}
		if !d.json {
			env.stderr = io.MultiWriter(&problems, d.stderr) // it takes long, and says how far it is
		}
	}
	got := run(ctx, env, slices.Concat(args, where, []string{"--lang", d.lang}))
	d.commands = append(d.commands, demoCommandRun{d.short(strings.Join(args, " ")), got})
	if got != want {
		return out.String(), fmt.Errorf("`credledger %s` ended with %d, not %d: %s", strings.Join(args, " "), got, want, problems.String())
	}
	return out.String(), nil
}

// found makes the city and brings the registries' files.
func (d *demo) found(ctx context.Context) error {
	d.head("数据局建账本,准入四个部门", "The data bureau founds the ledger and admits the departments")
	if d.network {
		d.say("账本建在网络上,每笔交易由过半数部门(必须包括数据局)各自按规则核对后背书。每个部门有自己的 SM2 密钥。",
			"The ledger is on the network: each transaction is checked by the rules, and endorsed, by a majority of the departments\n"+
				"that includes the data bureau. Each department has SM2 keys of its own.")
	} else {
		d.say("账本由各部门共同运行;这里用一个进程内的账本演示。每个部门有自己的 SM2 密钥。",
			"Departments run the ledger together; here it runs inside this process. Each department has SM2 keys of its own.")
	}
	err := fs.WalkDir(samples.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(d.path(name), b, 0o644)
	})
	if err != nil {
		return err
	}
	args := []string{"init"}
	if d.network {
		t, err := network.LoadTopology(d.path(topologyFile))
		if err != nil {
			return err
		}
		args = append(args, "--network", t.Directory)
	}
	return d.do(ctx, exitDone, args...)
}

// issue issues licences of three types from three formats.
func (d *demo) issue(ctx context.Context) error {
	d.head("三个部门制发证照,只把摘要上链", "Three departments issue licences and anchor nothing but hashes")
	d.say("结婚证来自 JSON,四十本一批,一次签名;不动产权证书来自 XML,逐本上链;营业执照来自 CSV。同一本证照,什么格式进来都一样。",
		"Marriage certificates come as JSON and are anchored in one batch with one signature, property certificates as XML\n"+
			"and one by one, business licences as CSV. The same licence is the same whatever format it came in.")
	for _, args := range [][]string{
		{"--department", "civil-affairs", "--type", "marriage", "--batch", "40", "--out", d.path("marriage"), d.path("marriage.jsonl")},
		{"--department", "natural-resources", "--type", "property", "--batch", "1", "--out", d.path("property"), d.path("property.xml")},
		{"--department", "market-regulation", "--type", "business", "--batch", "16", "--out", d.path("business"), d.path("business.csv")},
	} {
		if err := d.do(ctx, exitDone, append([]string{"issue"}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// credentialFile is the credential of the n-th licence that the demo issued of a type.
func (d *demo) credentialFile(typ string, n int) string {
	return filepath.Join(d.dir, typ, fmt.Sprintf("licence-%07d.cred", n))
}

// present shows two fields of a marriage certificate, and has them verified.
func (d *demo) present(ctx context.Context) error {
	d.head("亮证与核验", "A citizen shows a code, a counterpart verifies it")
	d.say("办理不动产过户,窗口只需要两项信息。市民只出示这两项,其余内容不泄露。",
		"For a property transfer the counter needs two facts. The citizen shows these two, and nothing else can be learnt.")
	picture := d.path("code.png")
	show := []string{"present", d.credentialFile("marriage", 1), "--disclose", "spouse1Name,spouse2Id", "--qr", picture}
	code, err := d.quietly(ctx, exitDone, show...)
	if err != nil {
		return err
	}
	d.showCommand(show)
	code = strings.TrimSpace(code)
	fmt.Fprintf(d.out, d.pick("  %s……(共 %d 个字符)\n\n", "  %s... (%d characters)\n\n"), code[:60], len(code))
	if err := d.draw(code); err != nil {
		return err
	}
	d.say("窗口扫码(这里读取图片文件),一次调用得到结论。", "The counter scans it (here: reads the picture), and has the verdict in one call.")
	return d.do(ctx, exitDone, "verify", picture)
}

// draw draws a code, unless the terminal is too narrow for it.
func (d *demo) draw(code string) error {
	symbol, err := qr.Encode(code, qr.DefaultLevel(code))
	if err != nil {
		return err
	}
	columns := symbol.Size() + 2*qr.QuietZone
	if width := d.columns(); 0 < width && width < columns {
		fmt.Fprintf(d.out, d.pick("  (终端宽度不足 %d 列,二维码见 code.png)\n", "  (the terminal has less than %d columns; the picture is in code.png)\n"), columns)
		return nil
	}
	return symbol.Terminal(d.out)
}

// attack tries a changed bit and a forged issuer.
func (d *demo) attack(ctx context.Context) error {
	d.head("改一个比特,或冒充颁发机构", "One changed bit, and somebody who poses as the issuer")
	d.say("结婚证字号里改一个比特,摘要就成了另一个:内容自身仍然相符,但没有人为它签名,账本上也没有它。",
		"One bit of a certificate number is changed, which makes another hash: the contents agree with it, but nobody\n"+
			"signed it and nobody anchored it.")
	b, err := os.ReadFile(d.credentialFile("marriage", 2))
	if err != nil {
		return err
	}
	changed := bytes.Replace(b, []byte("J990101-"), []byte("J990100-"), 1)
	if err := os.WriteFile(d.path("changed.cred"), changed, 0o644); err != nil {
		return err
	}
	if err := d.do(ctx, exitFailed, "verify", d.path("changed.cred")); err != nil {
		return err
	}
	d.say("有人以民政局的名义、用自己的密钥签发:内容无可挑剔,但账本不认识这把密钥。",
		"Somebody issues in the name of the Civil Affairs Bureau, with a key of his own: faultless, but for a key that the\n"+
			"ledger does not know.")
	if err := d.forge(ctx, d.path("forged.cred")); err != nil {
		return err
	}
	return d.do(ctx, exitFailed, "verify", d.path("forged.cred"))
}

// withdraw shows every way in which a genuine licence can be of no use.
func (d *demo) withdraw(ctx context.Context) error {
	d.head("真实但不可用的五种情形", "Genuine, and still not to be relied on: five ways")
	set := func(department, to, reason string, rest ...string) []string {
		return append([]string{"status", "set", "--department", department, "--to", to, "--reason", reason}, rest...)
	}
	divorced, suspended := d.credentialFile("marriage", 4), d.credentialFile("business", 5)
	old, seized := d.credentialFile("property", 6), d.credentialFile("property", 7)
	expired, renewed := filepath.Join(d.dir, "expired", "licence-0000001.cred"), filepath.Join(d.dir, "renewed", "licence-0000001.cred")
	if err := d.extraInputs(); err != nil {
		return err
	}
	today := licence.DateOf(d.now())
	for _, s := range []struct {
		zh, en   string
		commands [][]string
		verify   string
		field    string
		want     int
	}{
		{"离婚登记后,结婚证注销。", "After a divorce the marriage certificate is revoked.",
			[][]string{set("civil-affairs", "revoked", "divorce", divorced)}, divorced, "certificateNumber", exitNotCurrent},
		{"营业执照因核查暂停。", "A business licence is suspended during an investigation.",
			[][]string{set("market-regulation", "suspended", "investigation", suspended)}, suspended, "name", exitNotCurrent},
		{"有效期已过。", "A licence whose term has ended.",
			[][]string{{"issue", "--department", "market-regulation", "--type", "business", "--valid-from", (today - 400).String(), "--valid-until", (today - 35).String(), "--out", d.path("expired"), d.path("expired.json")}},
			expired, "name", exitNotCurrent},
		{"不动产权证书换发新证,旧证被替代。", "A property certificate is reissued: the new one takes the place of the old.",
			[][]string{
				{"issue", "--department", "natural-resources", "--type", "property", "--predecessor", old, "--out", d.path("renewed"), d.path("renewed.json")},
				set("natural-resources", "superseded", "reissue", "--successor", renewed, old),
			}, old, "certificateNumber", exitNotCurrent},
		{"房屋被查封:证照有效,但有限制。", "A home is seized: the certificate is in force, but restricted.",
			[][]string{{"restrict", "--department", "natural-resources", "--kind", "seizure", seized}}, seized, "location", exitRestricted},
	} {
		d.say(s.zh, s.en)
		for _, args := range s.commands {
			if err := d.do(ctx, exitDone, args...); err != nil {
				return err
			}
		}
		if err := d.show(ctx, s.verify, s.field, s.want); err != nil {
			return err
		}
	}
	return nil
}

// show presents one field of a credential, and has the code verified.
func (d *demo) show(ctx context.Context, credential, field string, want int) error {
	code, err := d.quietly(ctx, exitDone, "present", credential, "--disclose", field)
	if err != nil {
		return err
	}
	file := strings.TrimSuffix(credential, filepath.Ext(credential)) + ".code"
	if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
		return err
	}
	return d.do(ctx, want, "verify", file)
}

// extraInputs writes the two licences that are issued on their own.
func (d *demo) extraInputs() error {
	for _, x := range [][4]string{
		{"business-1.json", "expired.json", "91990101MA61756039", "91990101MA61757042"},
		{"property-1.json", "renewed.json", "第0000001号", "第0009001号"},
	} {
		b, err := os.ReadFile(d.path(x[0]))
		if err != nil {
			return err
		}
		b = bytes.Replace(b, []byte(x[2]), []byte(x[3]), 1)
		if err := os.WriteFile(d.path(x[1]), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// audit replays the ledger.
func (d *demo) audit(ctx context.Context) error {
	d.head("审计:不信任任何人,从第一个区块重放", "The audit trusts nobody and replays everything from the first block")
	return d.do(ctx, exitDone, "audit")
}
