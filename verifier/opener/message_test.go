package opener_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/webhook"
)

// A received message is one with its headers.
type received struct {
	header http.Header
	body   []byte
}

func (s *stage) message(secrets ...webhook.Secret) received {
	s.Helper()
	event := webhook.Event{
		Type: webhook.JobDone, At: s.city.Clock.Now(), Ledger: s.city.Index.Ledger(), Department: "civil-affairs",
		Job: &webhook.Job{ID: 7, Kind: "import", Type: "marriage", Records: 3, Accepted: 2, Rejected: 1},
	}
	body, err := event.JSON()
	if err != nil {
		s.Fatal(err)
	}
	m := received{http.Header{}, body}
	webhook.Sign(m.header, secrets, webhook.ID{1, 2, 3}, s.city.Clock.Now(), body)
	return m
}

func (s *stage) check(m received) answer {
	s.Helper()
	r := request(http.MethodPost, "/v1/webhooks", m.body)
	for name, values := range m.header {
		r.Header[name] = values
	}
	return s.do(r)
}

func TestMessage(t *testing.T) {
	s := newStage(t)
	m := s.message(webhook.Secret{9}, secret)
	var first, second struct {
		ID       string
		Replayed bool
		Event    webhook.Event
	}
	for i, out := range []any{&first, &second} {
		a := s.check(m)
		if err := json.Unmarshal(a.Body, out); err != nil || a.Status != http.StatusOK {
			t.Fatalf("%d: %d %s", i, a.Status, a.Body)
		}
	}
	if first.ID != "01020300000000000000000000000000" || first.Replayed || first.Event.Job == nil || first.Event.Job.Accepted != 2 {
		t.Errorf("%+v", first)
	}
	if second.ID != first.ID || !second.Replayed || second.Event.Type != webhook.JobDone {
		t.Errorf("again: %+v", second)
	}
}

func TestMessageRefused(t *testing.T) {
	s := newStage(t)
	s.check(s.message(webhook.Secret{9})).problem("webhook-signature")
	for code, change := range map[string]func(*received){
		"webhook-signature": func(m *received) { m.body = bytes.Replace(m.body, []byte(`"rejected":1`), []byte(`"rejected":0`), 1) },
		"webhook-malformed": func(m *received) { m.header.Del(webhook.HeaderID) },
		"body-too-large":    func(m *received) { m.body = append(m.body, bytes.Repeat([]byte(" "), webhook.MaxBody)...) },
	} {
		m := s.message(secret)
		change(&m)
		s.check(m).problem(code)
	}
	m := s.message(secret)
	s.city.Clock.Advance(webhook.Tolerance + time.Second)
	s.check(m).problem("webhook-time")
}
