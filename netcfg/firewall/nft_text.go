package firewall

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// nftText writes a rule much as nft does: what is printed as JSON comes without
// its text.
func nftText(expr []any) string {
	var words []string
	for _, e := range expr {
		name, body := only(e)
		m, _ := body.(map[string]any)
		switch name {
		case "counter":
		case "match":
			words = append(words, nftCompared(m))
		case "vmap":
			words = append(words, nftValue(m["key"])+" vmap "+nftValue(m["data"]))
		case "jump", "goto":
			words = append(words, fmt.Sprintf("%s %v", name, m["target"]))
		case "xt":
			words = append(words, fmt.Sprintf("xt %v %v", m["type"], m["name"]))
		case "reject":
			words = append(words, strings.TrimSpace("reject "+nftMembers(m, "type", "expr")))
		default:
			if body != nil {
				name += " " + nftJSON(body)
			}
			words = append(words, name)
		}
	}
	return strings.Join(words, " ")
}

func nftCompared(m map[string]any) string {
	op, _ := m["op"].(string)
	if op == "==" || op == "in" {
		op = ""
	}
	return strings.Join(strings.Fields(nftValue(m["left"])+" "+op+" "+nftValue(m["right"])), " ")
}

func nftMembers(m map[string]any, keys ...string) string {
	var words []string
	for _, key := range keys {
		if v, ok := m[key]; ok {
			words = append(words, nftValue(v))
		}
	}
	return strings.Join(words, " ")
}

// nftValue writes a value, and what it does not know as JSON.
func nftValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		return nftList(v, ",")
	}
	name, body := only(v)
	m, _ := body.(map[string]any)
	list, _ := body.([]any)
	switch name {
	case "meta":
		return nftMeta(m)
	case "payload":
		if m["protocol"] != nil {
			return nftMembers(m, "protocol", "field")
		}
	case "ct":
		return "ct " + nftMembers(m, "dir", "family", "key")
	case "fib":
		return "fib " + nftMembers(m, "flags", "result")
	case "prefix":
		return nftMembers(m, "addr") + "/" + nftMembers(m, "len")
	case "elem":
		return nftMembers(m, "val")
	case "range":
		return nftList(list, "-")
	case "concat":
		return nftList(list, " . ")
	case "&", "|":
		return nftList(list, " "+name+" ")
	case "jump", "goto":
		return name + " " + nftMembers(m, "target")
	case "set":
		return nftSet(list)
	case "accept", "drop", "return", "continue":
		return name
	}
	return nftJSON(v)
}

func nftJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// nftMeta leaves the word meta out where nft does.
func nftMeta(m map[string]any) string {
	key := nftMembers(m, "key")
	if slices.Contains([]string{"iif", "oif", "iifname", "oifname"}, key) {
		return key
	}
	return "meta " + key
}

func nftList(list []any, between string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = nftValue(v)
	}
	return strings.Join(words, between)
}

// nftSet writes elements, of a map with what they lead to. Of many it writes the
// first ones.
func nftSet(list []any) string {
	const most = 8
	words := make([]string, min(len(list), most+1))
	for i, v := range list {
		if i == most {
			words[i] = "…"
			break
		}
		if pair, ok := v.([]any); ok {
			words[i] = nftList(pair, " : ")
			continue
		}
		words[i] = nftValue(v)
	}
	return "{ " + strings.Join(words, ", ") + " }"
}
