package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// release has one department ask another for what it would have collected from the citizen.
func (d *demo) release(ctx context.Context) error {
	d.head("部门之间直接取用,不再向市民收材料", "One department asks another, and nobody collects the papers again")
	d.say("数据局已发布共享规则:办理不动产过户,不动产登记机构依法可向民政局取用结婚证的三项信息。民政局的制证服务开始运行,\n不动产登记机构凭证照编号申请,几十毫秒后得到答复;双方都留有日志和凭据。",
		"The data bureau has published a policy: for a property transfer the law gives the property registry three facts of a\n"+
			"marriage certificate. The civil affairs bureau's service runs; the registry asks by the certificate's number, and has the\n"+
			"answer within the blink of an eye. Both keep a log, and evidence.")
	if err := d.do(ctx, exitDone, "issuer", "init", "--department", "civil-affairs"); err != nil {
		return err
	}
	url, end, err := d.serveIssuer(ctx, "civil-affairs")
	if err != nil {
		return err
	}
	return errors.Join(d.ask(ctx, url), end())
}

// ask asks for what the law gives, and for what it does not.
func (d *demo) ask(ctx context.Context, url string) error {
	evidence := d.path("released.evidence")
	request := []string{
		"request", "--department", "natural-resources", "--issuer", "civil-affairs", "--url", url, "--type", "marriage",
		"--matter", "second-hand-home-transfer", "--number", "J990101-2006-000001",
	}
	if err := d.do(ctx, exitDone, slices.Concat(request, []string{"--fields", "registrationDate,spouse1Name,spouse2Name", "--evidence", evidence})...); err != nil {
		return err
	}
	d.say("法律没有给的,须由持证人授权;拒绝也是签名的答复。", "What the law does not give takes the holder's grant. A refusal is a signed answer too.")
	if err := d.do(ctx, exitFailed, slices.Concat(request, []string{"--fields", "spouse1Id"})...); err != nil {
		return err
	}
	d.say("凭据文件里没有证照内容;任何掌握账本的人都能核对。", "The evidence holds no value of the certificate, and anybody who has the ledger can check it.")
	return d.do(ctx, exitDone, "evidence", evidence)
}

// serveIssuer runs the issuing service of a department beside the story, at addresses that are free, until end is called.
func (d *demo) serveIssuer(ctx context.Context, department string) (url string, end func() error, err error) {
	file := filepath.Join(d.path("home"), issuersDir, department, issuerFile)
	b, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	for _, port := range []string{":8090", ":8091", ":8092", ":8444", ":9465"} {
		b = bytes.ReplaceAll(b, []byte("127.0.0.1"+port), []byte("127.0.0.1:0"))
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return "", nil, err
	}
	args := []string{"issuer", "serve", "--department", department}
	d.showCommand(args)
	ctx, stop := context.WithCancel(ctx)
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		var problems bytes.Buffer
		env := &environment{stdin: bytes.NewReader(nil), stdout: in, stderr: &problems, getenv: d.getenv, now: d.now}
		exit := run(ctx, env, slices.Concat(args, []string{"--home", d.path("home"), "--json"}))
		err := error(nil)
		if exit != exitDone {
			err = fmt.Errorf("`credledger issuer serve` ended with %d: %s", exit, problems.String())
		}
		in.CloseWithError(io.EOF)
		ended <- err
	}()
	end = func() error {
		stop()
		return <-ended
	}
	var answer struct {
		Serving map[string]string `json:"serving"`
	}
	if err := json.NewDecoder(out).Decode(&answer); err != nil {
		return "", nil, errors.Join(end(), err)
	}
	fmt.Fprintf(d.out, "  web %s\n", answer.Serving["web"])
	d.commands = append(d.commands, demoCommandRun{"issuer serve --department " + department, exitDone})
	return answer.Serving["web"], end, nil
}
