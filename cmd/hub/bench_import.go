package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// imports measures how long a large catalogue takes until its last row is found:
// new, as CSV; the same again; and as the workbook of its own export, with each
// price changed by nothing.
func (b *bench) imports(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tiwiza-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := b.yard.database(ctx, "bench_import", "")
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	return withMarket(ctx, dir, db, pg.Options{MaxConns: 4}, func(h *house, keys demoKeys) error {
		seller := keys.Sellers[0].Organisation
		file := b.manyRows()
		b.tell("a file of %d rows has %.1f MB", b.Imports, float64(len(file))/(1<<20))
		before, err := b.spent()
		if err != nil {
			return err
		}
		took, r, err := b.taken(ctx, h, seller, "catalogue.csv", file)
		if err != nil || r.Created != b.Imports {
			return fmt.Errorf("%d of %d rows were created: %w", r.Created, b.Imports, err)
		}
		l, err := h.catalog.List(ctx, catalog.ListInput{Q: fmt.Sprintf("bench%d", b.Imports-1)})
		if err != nil || len(l.Data) != 1 {
			return fmt.Errorf("the last row is found %d times: %w", len(l.Data), err)
		}
		after, err := b.spent()
		if err != nil {
			return err
		}
		b.found(figure{Name: "import of a new catalogue", Value: took.Seconds(), Unit: "s", Ceiling: 60 * float64(b.Imports) / 50_000, Note: fmt.Sprintf("%d rows, %.0f/s, %.1f s of CPU in the hub and PostgreSQL; its last row is found at the end", b.Imports, float64(b.Imports)/took.Seconds(), (after - before).Seconds())})
		took, r, err = b.taken(ctx, h, seller, "catalogue.csv", file)
		if err != nil || r.Unchanged != b.Imports {
			return fmt.Errorf("%d of %d rows are unchanged: %w", r.Unchanged, b.Imports, err)
		}
		b.found(figure{Name: "the same file again", Value: took.Seconds(), Unit: "s", Note: "all unchanged"})
		var book bytes.Buffer
		began := time.Now()
		out, err := h.catalog.ExportXLSX(ctx, catalog.ExportInput{Seller: seller})
		if err == nil {
			err = out.Write(ctx, &book)
		}
		if err != nil {
			return err
		}
		b.found(figure{Name: "export as a workbook", Value: time.Since(began).Seconds(), Unit: "s", Note: fmt.Sprintf("%.1f MB", float64(book.Len())/(1<<20))})
		took, r, err = b.taken(ctx, h, seller, "catalogue.xlsx", book.Bytes())
		if err != nil || r.Unchanged != r.Rows || r.Rows < b.Imports {
			return fmt.Errorf("%d of %d rows of the workbook are unchanged: %w", r.Unchanged, r.Rows, err)
		}
		b.found(figure{Name: "the workbook again", Value: took.Seconds(), Unit: "s", Note: "all unchanged"})
		return nil
	})
}

// spent is the processor time of this process and of PostgreSQL until now.
func (b *bench) spent() (time.Duration, error) {
	hub, err := cpu(os.Getpid(), false)
	if err != nil {
		return 0, err
	}
	server, err := cpu(b.yard.pid, true)
	return hub + server, err
}

// taken takes a file in, going on as a job would for as long as it needs.
func (b *bench) taken(ctx context.Context, h *house, seller, name string, file []byte) (time.Duration, catalog.Report, error) {
	began := time.Now()
	r, err := h.catalog.Import(ctx, catalog.ImportInput{Seller: seller, File: rest.File{Name: name, Bytes: file}})
	for err == nil && r.State == catalog.ImportRunning {
		if err = h.catalog.Continue(ctx, r.ID); err == nil {
			r, err = h.catalog.ShowImport(ctx, catalog.ImportID{Import: r.ID})
		}
	}
	if err == nil && len(r.Rejected) > 0 {
		err = fmt.Errorf("row %d %s: %s", r.Rejected[0].Row, r.Rejected[0].Pointer, r.Rejected[0].Detail)
	}
	return time.Since(began), r, err
}

// manyRows is a catalogue of rows that each are an offer, with words as real ones
// have.
func (b *bench) manyRows() []byte {
	things := [][2]string{{"Huile d’argane", "زيت أركان"}, {"Miel de thym", "عسل الزعتر"}, {"Tapis noué à la main", "زربية معقودة"}, {"Dattes Majhoul", "تمور المجهول"}, {"Safran pur", "زعفران حر"}}
	kinds := []string{"oils", "honey", "rugs", "dates", "saffron"}
	towns := []string{"Taroudant", "Azrou", "Taznakht", "Erfoud", "Taliouine"}
	var out bytes.Buffer
	out.WriteString("offer_key,category,name_fr,name_ar,description_fr,description_ar,sku,variant_fr,weight_g,price,stock,commune\n")
	for n := range b.Imports {
		k := n % len(things)
		fmt.Fprintf(&out, "bench-%[1]d,%[2]s,%[3]s bench%[1]d (exemple),%[4]s (مثال),\"Produit par une coopérative de la région, en quantité limitée (exemple).\",منتوج تعاونية من المنطقة بكمية محدودة (مثال).,BENCH-%[1]d,500 g,720,%[5]d.50,%[6]d,%[7]s\n",
			n, kinds[k], things[k][0], things[k][1], 20+n%900, n%40, towns[k])
	}
	return out.Bytes()
}
