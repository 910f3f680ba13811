package fabric

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"
)

// Administration and operations of a process are reached over mutual TLS. The process's own
// certificate is a client's as well: who runs a process has it.

const (
	administrationPatience = 5 * time.Second
	maxAnswer              = 4 << 20 // bytes of an answer
)

// ask sends a request to the i-th port of a process and returns the answer's status and body.
func (n *Network) ask(ctx context.Context, p *node, i int, method, path, contentType string, body []byte) (int, []byte, error) {
	config, err := n.clientTLS(p)
	if err != nil {
		return 0, nil, err
	}
	client := http.Client{
		Timeout:   administrationPatience,
		Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
	}
	request, err := http.NewRequestWithContext(ctx, method, "https://"+p.address(i)+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, answer, err
}

const participationPath = "/participation/v1/channels"

// A participation is what an orderer says of its part in a channel.
type participation struct {
	Status   string `json:"status"`            // "active", "onboarding", "failed", ...
	Relation string `json:"consensusRelation"` // "consenter", "follower", ...
	Height   uint64 `json:"height"`            // number of blocks
}

// participation asks an orderer for its part in the channel; known is false if it has none.
func (n *Network) participation(ctx context.Context, p *node) (part participation, known bool, err error) {
	status, body, err := n.ask(ctx, p, administrationPort, http.MethodGet, participationPath+"/"+Channel, "", nil)
	switch {
	case err != nil:
		return part, false, err
	case status == http.StatusNotFound:
		return part, false, nil
	case status != http.StatusOK:
		return part, false, fmt.Errorf("%s answers %d: %s", p.name, status, bytes.TrimSpace(body))
	}
	return part, true, json.Unmarshal(body, &part)
}

// participate makes an orderer join the channel that begins with a block.
func (n *Network) participate(ctx context.Context, p *node, block []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("config-block", "config.block")
	if err != nil {
		return err
	}
	part.Write(block) // in memory, as the next
	form.Close()
	status, answer, err := n.ask(ctx, p, administrationPort, http.MethodPost, participationPath, form.FormDataContentType(), body.Bytes())
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("%s answers %d: %s", p.name, status, bytes.TrimSpace(answer))
	}
	return err
}

// metric asks a process for a figure of the channel; known is false if it has none yet.
func (n *Network) metric(ctx context.Context, p *node, name string) (value uint64, known bool, err error) {
	status, body, err := n.ask(ctx, p, operationsPort, http.MethodGet, "/metrics", "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", p.name, status)
	}
	if err != nil {
		return 0, false, err
	}
	value, known = parseMetric(body, name)
	return value, known, nil
}

// parseMetric finds a figure of the channel in Prometheus's text format.
func parseMetric(text []byte, name string) (value uint64, known bool) {
	prefix := []byte(name + `{channel="` + Channel + `"} `)
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, prefix); ok {
			f, err := strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64)
			return uint64(max(f, 0)), err == nil && f < 1<<53
		}
	}
	return 0, false
}
