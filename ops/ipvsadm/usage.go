package ipvsadm

// version is the line of the program that is imitated, which scripts take
// apart, and then who speaks.
const version = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1), spoken by lvsdeck\n"

const usage = `Usage: ipvsadm COMMAND [OPTION ...]

Services
  -A, --add-service     SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M MASK] [--pe ENGINE] [-o] [-b FLAGS]
  -E, --edit-service    SERVICE ... replaces all settings
  -D, --delete-service  SERVICE
  -C, --clear           delete all services
Real servers
  -a, --add-server      SERVICE -r SERVER [-g|-i|-m] [-w WEIGHT] [-x UPPER] [-y LOWER] [TUNNEL]
  -e, --edit-server     SERVICE -r SERVER ... replaces all settings
  -d, --delete-server   SERVICE -r SERVER
Listings
  -L, -l, --list        [SERVICE] [-n] [--stats|--rate|--thresholds|--persistent-conn|--tun-info]
                        [-X|--exact] [--nosort]
  -L -c                 connections [-n] [--persistent-conn]
  -L --timeout          timeouts of connections
  -L --daemon           sync daemons
  -Z, --zero            [SERVICE] zero counters
Rules
  -S, --save            [-n] write the table as rules
  -R, --restore         carry out rules from standard input
The director
  --set TCP TCPFIN UDP  timeouts in seconds; 0 keeps one
  --start-daemon master|backup [--mcast-interface NAME] [--syncid N] [--sync-maxlen N]
                        [--mcast-group ADDRESS] [--mcast-port N] [--mcast-ttl N]
  --stop-daemon  master|backup
  -h, --help            this text
  -v, --version

SERVICE   -t, --tcp-service | -u, --udp-service | --sctp-service  HOST[:PORT]
          -f, --fwmark-service  MARK [-6, --ipv6]
SERVER    HOST[:PORT]; without port, that of the service
TUNNEL    --tun-type ipip|gue|gre, --tun-port N, --tun-nocsum | --tun-csum | --tun-remcsum

-s  --scheduler   rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos; wlc by default
-p  --persistent  keep a client on its server; 360 seconds by default
-M  --netmask     keep the clients of a network together
-b  --sched-flags flag-1,flag-2,flag-3; for sh and mh: sh-fallback sh-port mh-fallback mh-port
-o  --ops         schedule every UDP packet anew
-g  --gatewaying  direct routing, the default;  -i --ipip  tunnel;  -m --masquerading  NAT
-w  --weight, -x --u-threshold, -y --l-threshold, -r --real-server, -n --numeric
`
