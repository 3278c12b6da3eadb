package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go"
	"github.com/swaggest/openapi-go/openapi31"

	"tiwiza/pkg/money"
)

// Info is the head of the document.
type Info struct{ Title, Version, Description string }

// amountPattern is an amount as money.Parse takes it.
const amountPattern = `^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?$`

// moneyShape is how money.Money looks in JSON.
type moneyShape struct {
	Amount   string `json:"amount" required:"true" pattern:"^-?(0|[1-9][0-9]{0,15})(\\.[0-9]{1,2})?$" example:"123.50"`
	Currency string `json:"currency" required:"true" enum:"MAD" example:"MAD"`
}

// Document is the OpenAPI 3.1 document of the routes, always the same bytes
// for the same rows.
func Document(info Info, routes []Route) ([]byte, error) {
	r := reflector(info)
	seen := map[string]bool{}
	for i := range routes {
		if err := describe(r, &routes[i], seen); err != nil {
			return nil, fmt.Errorf("document %s: %w", routes[i].Name, err)
		}
	}
	b, err := r.Spec.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	finish(doc, routes)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return out.Bytes(), nil
}

func reflector(info Info) *openapi31.Reflector {
	r := openapi31.NewReflector()
	r.Spec.Info.WithTitle(cmp.Or(info.Title, "hub")).WithVersion(cmp.Or(info.Version, "0"))
	if info.Description != "" {
		r.Spec.Info.WithDescription(info.Description)
	}
	r.Spec.SetHTTPBearerTokenSecurity("key", "", "An API key: key_….secret")
	js := r.JSONSchemaReflector()
	number := jsonschema.Schema{}
	number.AddType(jsonschema.String)
	number.WithPattern(`^-?[0-9]+(\.[0-9]+)?$`)
	js.AddTypeMapping(decimal.Decimal{}, number)
	js.AddTypeMapping(money.Money{}, moneyShape{})
	js.DefaultOptions = append(js.DefaultOptions,
		jsonschema.InterceptDefName(func(t reflect.Type, name string) string { return defName(t, name) }),
		jsonschema.InterceptNullability(func(p jsonschema.InterceptNullabilityParams) {
			// A nil list is written as an empty one, and what may be left
			// out is left out rather than null.
			if k := p.Type.Kind(); k == reflect.Slice || k == reflect.Map || p.OmitEmpty {
				p.Schema.RemoveType(jsonschema.Null)
			}
			if p.OrigSchema.Ref == nil || p.Schema.Ref != nil {
				return
			}
			if p.OmitEmpty { // it was made «null or the thing»: only the thing
				p.Schema.Ref, p.Schema.AnyOf = p.OrigSchema.Ref, p.OrigSchema.AnyOf
			} else { // the thing's type stays with the thing
				p.Schema.Type = nil
			}
		}),
		func(rc *jsonschema.ReflectContext) { rc.EnvelopNullability = true })
	return r
}

var (
	generic   = regexp.MustCompile(`^(\w+)\[(.+)\]$`)
	qualified = regexp.MustCompile(`(?:[\w.\-]+/)*(\w+)\.(\w+)`)
)

// defName names a component: orders.CheckoutInput is OrdersCheckoutInput, and
// rest.Page[orders.View] is OrdersViewPage.
func defName(t reflect.Type, name string) string {
	switch t {
	case reflect.TypeFor[moneyShape]():
		return "Money"
	case reflect.TypeFor[Problem]():
		return "Problem"
	}
	m := generic.FindStringSubmatch(t.Name())
	if m == nil {
		return strings.TrimPrefix(strings.TrimPrefix(name, "Fault"), "Rest")
	}
	inner := qualified.FindStringSubmatch(m[2])
	if inner == nil {
		return m[1] + "Of" + upper(m[2])
	}
	of := upper(strings.TrimSuffix(inner[1], "_test")) + upper(inner[2])
	if inner[1] == "money" {
		of = upper(inner[2])
	}
	return of + m[1]
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// describe adds one row.
func describe(r *openapi31.Reflector, rt *Route, seen map[string]bool) error {
	if seen[rt.Name] {
		return fmt.Errorf("two rows have this name")
	}
	seen[rt.Name] = true
	op, err := r.NewOperationContext(rt.Method, rt.Path)
	if err != nil {
		return err
	}
	op.SetID(rt.Name)
	op.SetSummary(rt.Doc)
	if rt.about != "" {
		op.SetDescription(rt.about)
	}
	op.SetTags(rt.tags...)
	op.AddReqStructure(rt.In)
	answer := []openapi.ContentOption{openapi.WithHTTPStatus(rt.Status)}
	switch kindOf(reflect.TypeOf(rt.Out)) {
	case outText:
		op.AddRespStructure(nil, append(answer, openapi.WithContentType("text/plain"))...)
	case outBlob, outStream:
		for _, t := range rt.gives {
			op.AddRespStructure(nil, append(answer, openapi.WithContentType(t))...)
			if rt.parts {
				op.AddRespStructure(nil, openapi.WithHTTPStatus(http.StatusPartialContent), openapi.WithContentType(t))
			}
		}
		if rt.parts {
			op.AddRespStructure(nil, openapi.WithHTTPStatus(http.StatusNotModified))
		}
	default:
		op.AddRespStructure(rt.Out, answer...)
	}
	op.AddRespStructure(Problem{}, openapi.WithContentType("application/problem+json"),
		func(cu *openapi.ContentUnit) { cu.IsDefault, cu.Description = true, "A problem (RFC 9457)." })
	return r.AddOperation(op)
}

// problems are the statuses a row can answer, for the document.
func problems(rt *Route) []int {
	// An unknown parameter and a wrong key are refused everywhere.
	out := []int{http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest}
	if len(rt.shape.params) > 0 || rt.Method != http.MethodGet {
		out = append(out, http.StatusUnprocessableEntity)
	}
	if strings.Contains(rt.Path, "{") || rt.shape.json {
		out = append(out, http.StatusNotFound)
	}
	if rt.Method != http.MethodGet {
		out = append(out, http.StatusConflict, http.StatusRequestEntityTooLarge)
		if rt.shape.raw == nil {
			out = append(out, http.StatusUnsupportedMediaType)
		}
	}
	return out
}

// finish adds what the reflector has no words for.
func finish(doc map[string]any, routes []Route) {
	components := branch(doc, "components")
	schemas := branch(components, "schemas")
	components["responses"] = map[string]any{"Problem": map[string]any{
		"description": "A problem (RFC 9457).",
		"content":     map[string]any{"application/problem+json": map[string]any{"schema": ref("schemas/Problem")}},
	}}
	tidy(doc)
	strict := map[string]bool{}
	for i := range routes {
		rt := &routes[i]
		op := branch(branch(branch(doc, "paths"), cleanPath(rt.Path)), strings.ToLower(rt.Method))
		finishAnswers(op, rt)
		finishRequest(op, rt)
		if body, ok := op["requestBody"]; ok {
			close(body, schemas, strict)
		}
	}
}

func finishAnswers(op map[string]any, rt *Route) {
	if rt.Anonymous {
		op["security"] = []any{map[string]any{}, map[string]any{"key": []any{}}}
	} else {
		op["security"] = []any{map[string]any{"key": []any{}}}
	}
	answers := branch(op, "responses")
	for _, status := range problems(rt) {
		answers[fmt.Sprint(status)] = ref("responses/Problem")
	}
	answers["default"] = ref("responses/Problem")
}

func finishRequest(op map[string]any, rt *Route) {
	if rt.Commits {
		list, _ := op["parameters"].([]any)
		list = slices.DeleteFunc(list, func(p any) bool { return strings.EqualFold(fmt.Sprint(p.(map[string]any)["name"]), keyHeader) })
		op["parameters"] = append(list, map[string]any{
			"name": keyHeader, "in": "header", "required": true,
			"description": "One to 255 visible ASCII characters, the same ones whenever this request is repeated; kept 30 days.",
			"schema":      map[string]any{"type": "string", "minLength": 1, "maxLength": 255},
		})
	}
	binary := map[string]any{"schema": map[string]any{}}
	switch {
	case rt.shape.file != nil:
		content := map[string]any{}
		for _, t := range rt.accepts {
			content[t] = binary
		}
		if slices.Contains(rt.accepts, "multipart/form-data") {
			content["multipart/form-data"] = map[string]any{"schema": map[string]any{
				"type": "object", "required": []any{"file"}, "additionalProperties": false,
				"properties": map[string]any{"file": map[string]any{"type": "string", "contentMediaType": "application/octet-stream"}},
			}}
		}
		op["requestBody"] = map[string]any{"required": true, "content": content}
	case rt.shape.raw != nil:
		op["requestBody"] = map[string]any{"content": map[string]any{"*/*": binary}}
	case rt.shape.json && rt.Method != http.MethodGet:
		branch(op, "requestBody")["required"] = required(reflect.TypeOf(rt.In))
	}
}

// required says whether an In has a body field that must be given.
func required(t reflect.Type) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "" && required(f.Type) {
			return true
		}
		if f.Tag.Get("json") != "" && f.Tag.Get("required") == "true" {
			return true
		}
	}
	return false
}

// close refuses unknown names in every object that a request body reaches.
func close(node any, schemas map[string]any, done map[string]bool) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			close(v, schemas, done)
		}
	case map[string]any:
		if to, ok := n["$ref"].(string); ok {
			name := strings.TrimPrefix(to, "#/components/schemas/")
			if !done[name] {
				done[name] = true
				close(schemas[name], schemas, done)
			}
		}
		if _, object := n["properties"].(map[string]any); object {
			if _, said := n["additionalProperties"]; !said {
				n["additionalProperties"] = false
			}
		}
		for _, v := range n {
			close(v, schemas, done)
		}
	}
}

// tidy moves what a field's tags say of a list's entries to the entries; of a
// list itself it would mean nothing.
func tidy(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			tidy(v)
		}
	case map[string]any:
		if items, list := n["items"].(map[string]any); list {
			for _, word := range []string{"enum", "pattern", "format", "minLength", "maxLength", "minimum", "maximum"} {
				if v, ok := n[word]; ok {
					items[word] = v
					delete(n, word)
				}
			}
		}
		for _, v := range n {
			tidy(v)
		}
	}
}

func ref(to string) map[string]any { return map[string]any{"$ref": "#/components/" + to} }

// branch is the object under a name, made when it is not there.
func branch(m map[string]any, name string) map[string]any {
	b, ok := m[name].(map[string]any)
	if !ok {
		b = map[string]any{}
		m[name] = b
	}
	return b
}

// cleanPath is a route's path as the document writes it.
func cleanPath(p string) string { return strings.ReplaceAll(p, "...}", "}") }
