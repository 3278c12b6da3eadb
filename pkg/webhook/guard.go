package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Guard says which addresses may be called: public ones only, so that nobody
// reaches the hub's own network through the hub.
type Guard struct {
	// Loopback also lets endpoints be on this machine, by http or https and on
	// any port: for demonstrations.
	Loopback bool
	// Hosts are addresses, host:port, that may be called wherever they are: those
	// who run the hub named each.
	Hosts []string
	// Resolver is asked for names; nil is the system's.
	Resolver *net.Resolver
}

// ports are those that may be called.
var ports = []string{"443", "80", "8443"}

var errPrivate = errors.New("the address is not public")

// reserved are public by their looks only: networks for documentation, tests and
// sharing, and those that carry an IPv4 address inside, which nobody checked.
// IPv6 outside 2000::/3 is never public.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

var unicast6 = netip.MustParsePrefix("2000::/3")

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// Public says whether an address is on the open internet (the special-purpose
// registries of RFC 6890). An IPv4 address inside an IPv6 one is judged as what
// it is when it is mapped, and refused in any other dress.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !unicast6.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a) })
}

// allows says whether one connection may be made.
func (g Guard) allows(a netip.AddrPort) error {
	if g.Loopback && a.Addr().Unmap().IsLoopback() {
		return nil
	}
	if !Public(a.Addr()) {
		return fmt.Errorf("%w: %s", errPrivate, a.Addr())
	}
	if port := strconv.Itoa(int(a.Port())); !slices.Contains(ports, port) {
		return fmt.Errorf("port %s is not for webhooks", port)
	}
	return nil
}

// Dial connects to what a name means now. The check comes after the name was
// resolved and before the connection is made, so a name that changes its mind
// in between gains nothing.
func (g Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		Timeout: 5 * time.Second, Resolver: g.Resolver,
	}
	if slices.Contains(g.Hosts, address) {
		return d.DialContext(ctx, network, address)
	}
	d.ControlContext = func(_ context.Context, network, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("%w: %s %s", errPrivate, network, address)
		}
		return g.allows(a)
	}
	return d.DialContext(ctx, network, address)
}

// Check says what is wrong with the address of an endpoint; "" if nothing is.
// What its name means is seen when it is called.
func (g Guard) Check(address string) (wrong string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" || len(address) > 1000 {
		return "Give a whole address, such as https://shop.example/hooks."
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	ip, ipErr := netip.ParseAddr(host)
	port := u.Port()
	local := g.Loopback && (host == "localhost" || ipErr == nil && ip.Unmap().IsLoopback()) || slices.Contains(g.Hosts, whole(u))
	switch {
	case u.User != nil:
		return "Leave out the user and the password: the signature says who calls."
	case u.Fragment != "":
		return "Leave out what follows the #."
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return "The address must begin with https://."
	case local:
		return ""
	case port != "" && !slices.Contains(ports, port):
		return "Use the port 443, 80 or 8443."
	case ipErr == nil && !Public(ip), host == "localhost", strings.HasSuffix(host, ".localhost"), strings.HasSuffix(host, ".local"), strings.HasSuffix(host, ".internal"):
		return "The address must be on the open internet."
	}
	return ""
}

// whole is the host and port of an address.
func whole(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// HostOf is the host and port that an address leads to, or "".
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return whole(u)
}
