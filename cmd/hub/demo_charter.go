package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tiwiza/pkg/clock"
)

// A charterNow is the charter in force, as its signers name it.
type charterNow struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
}

// charter is the one in force; false when this market has none.
func (p *player) charter(ctx context.Context) (c charterNow, there bool, err error) {
	err = p.get(ctx, "", "/v1/charter", &c)
	if pr, ok := errors.AsType[*problem](err); ok && pr.Code == "charter.none" {
		return c, false, nil
	}
	return c, err == nil, err
}

// admit has the market's people take somebody in whom they write down themselves: it
// signs the charter on paper, if there is one.
func (p *player) admit(ctx context.Context, org string) error {
	if err := p.signsOnPaper(ctx, org); err != nil {
		return fmt.Errorf("sign the charter on paper: %w", err)
	}
	for _, move := range []string{"submit", "approve"} {
		if err := p.move(ctx, p.keys.Operator.APIKey, "/v1/organisations/"+org+"/"+move, nil); err != nil {
			return err
		}
	}
	return nil
}

// signsOnPaper hands in a scan of the signed charter, which a second person compares.
func (p *player) signsOnPaper(ctx context.Context, org string) error {
	c, there, err := p.charter(ctx)
	if err != nil || !there {
		return err
	}
	now, err := p.now(ctx)
	if err != nil {
		return err
	}
	var file, paper struct{ ID string }
	scan := call{key: p.keys.Operator.APIKey, method: http.MethodPost, path: "/v1/files?kind=proof&owner=" + org, body: []byte("%PDF-1.4\n% " + org + "\n%%EOF\n"), contentType: "application/pdf"}
	if _, err := p.do(ctx, scan, &file); err != nil {
		return err
	}
	if err := p.commit(ctx, p.keys.Operator.APIKey, "/v1/organisations/"+org+"/charter-papers", map[string]any{
		"version": c.Version, "sha256": c.SHA256, "lang": "ar", "signer": "Présidence (exemple)", "signed_on": now.In(clock.Morocco).Format(time.DateOnly), "file": file.ID,
	}, &paper); err != nil {
		return err
	}
	return p.commit(ctx, p.keys.SecondOperator.APIKey, "/v1/charter-papers/"+paper.ID+"/accept", nil, nil)
}

// hasCharter has two of the market's people publish a charter, unless there is one.
func (n *joiner) hasCharter(ctx context.Context) error {
	_, there, err := n.charter(ctx)
	if err != nil || there {
		return err
	}
	now, err := n.now(ctx)
	if err != nil {
		return err
	}
	var draft struct {
		ID, Approval string
	}
	text := func(title, body string) map[string]string { return map[string]string{"title": title, "body": body} }
	today := now.In(clock.Morocco)
	if err := n.commit(ctx, n.keys.Operator.APIKey, "/v1/charter-drafts", map[string]any{
		"since": today.Format(time.DateOnly), "last_day": today.AddDate(0, 0, 300).Format(time.DateOnly),
		"texts": map[string]any{
			"fr": text("Charte de la place de marché (exemple)", "Nous vendons ce que nous faisons. Nous disons vrai de nos produits. Nous livrons ce qui est payé. Nos papiers sont à nous : qui les voit, nous l’avons permis."),
			"ar": text("ميثاق السوق (مثال)", "نبيع ما نصنع. نقول الصدق عن منتجاتنا. نسلّم ما دُفع ثمنه. وثائقنا ملكنا: لا يراها إلا من أذنّا له."),
		},
	}, &draft); err != nil {
		return err
	}
	if err := n.commit(ctx, n.keys.Operator.APIKey, "/v1/charter-drafts/"+draft.ID+"/publish", nil, &draft); err != nil {
		return err
	}
	if err := n.commit(ctx, n.keys.SecondOperator.APIKey, "/v1/approvals/"+draft.Approval, map[string]string{"decision": "approve"}, nil); err != nil {
		return err
	}
	n.step("the market's first charter is published by two people; all members are asked to sign it within 300 days")
	return nil
}

// signs has the newcomer sign the charter that the agent brings, by its own code.
func (n *joiner) signs(ctx context.Context) error {
	c, _, err := n.charter(ctx)
	if err != nil {
		return err
	}
	at := "/v1/organisations/" + n.org
	if err := n.refuses(ctx, n.person, http.MethodPost, at+"/submit", "charter.unsigned"); err != nil {
		return err
	}
	text := map[string]any{"version": c.Version, "sha256": c.SHA256}
	var asked struct{ Handle string }
	if err := n.post(ctx, n.agent, at+"/charter/codes", text, &asked); err != nil {
		return err
	}
	if text["code"], err = n.sent(ctx, n.phone, "code"); err != nil {
		return err
	}
	text["handle"], text["lang"] = asked.Handle, "ar"
	var signed struct{ Method string }
	if err := n.post(ctx, n.agent, at+"/sign-charter", text, &signed); err != nil {
		return err
	}
	n.method = signed.Method
	n.step("the agent reads the charter out; the member signs version %d with its own code (%s)", c.Version, signed.Method)
	return nil
}

// isFound looks the newcomer up in the directory, by place and label, and opens its
// pages there as anybody does.
func (n *joiner) isFound(ctx context.Context) error {
	err := n.insists(ctx, "the newcomer in the directory", func() (bool, error) {
		var list struct {
			Data []struct {
				Organisation string
				Labels       []struct{ Number string }
			}
		}
		if err := n.get(ctx, "", "/v1/directory?region=MA-09&label=artisan&limit=100", &list); err != nil {
			return false, err
		}
		for _, e := range list.Data {
			if e.Organisation == n.org && len(e.Labels) > 0 && e.Labels[0].Number == n.label {
				n.listed = true
				n.step("it is in the directory of its region, with its badge %s", n.label)
			}
		}
		return n.listed, nil
	})
	if err != nil {
		return err
	}
	for path, holds := range map[string]string{
		"/annuaire?region=MA-09&label=artisan&q=" + url.QueryEscape(n.name): "/annuaire/" + n.org, "/annuaire/" + n.org: n.label, "/ar/annuaire/" + n.org: "تيسليت",
	} {
		var page []byte
		if err := n.get(ctx, "", path, &page); err != nil {
			return err
		}
		if !strings.Contains(string(page), holds) {
			return fmt.Errorf("%s lacks %s", path, holds)
		}
	}
	n.step("anybody opens its page: %s/annuaire/%s", n.keys.URL, n.org)
	return nil
}
