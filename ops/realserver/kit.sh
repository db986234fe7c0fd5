#!/bin/sh
# @TITLE@
#
#   check       says what is missing; changes nothing. Exit status 0: nothing, 1: something
#   apply       does what is missing. A step that fails takes back those before it
#   apply 60    the same, and takes all back after 60 seconds unless confirm comes
#               before: give it in a new login, which proves that the way in is open
#   confirm     keeps what apply has done. Exit status 1: nothing waits for it
#   undo        takes back exactly what apply has done
#
# Exit status 2: it could not. What was there before stays. What is done is written
# down first, a line each, in /run, which like the settings is gone after a restart:
#   u STEP                this script wants it
#   a STEP                it was added
#   s FILE OLD NEW STEP   a sysctl was set
#   w TOKEN               what follows waits for confirm, or did

kit='@KIT@'
dir=/run/lvsdeck-realserver
state=$dir/$kit
waiting=$dir/.$kit.waiting
PATH=$PATH:/usr/sbin:/sbin
umask 077

# A shell that brings an ip of its own shall take the real one.
for real in /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip; do
	if [ -x $real ]; then
		ip() { $real "$@"; }
		break
	fi
done

# say keeps words until the lock is free: a terminal that has stopped must not keep
# others from taking back. Words that nobody can read any more are no reason to stop.
words=
say() {
	words="$words$*
"
}

tell() { printf '%s' "$words" 2>/dev/null || :; }

die() {
	release
	tell
	echo "$kit: $*" >&2
	exit 2
}

# ---- the steps ----

@STEPS@
# ---- sysctls ----

# value FILE. A shell's own read would take a digit at a time, and get but one.
value() { cat "$1" 2>/dev/null; }

# fine LINK NAME VALUE...: what the sysctl comes to, the greater of all's and the
# link's own, is one of the values. LINK all means every one but lo.
fine() {
	link=$1 key=$2 seen=
	shift 2
	[ "$link" = all ] && link='*'
	for path in /proc/sys/net/ipv4/conf/$link; do
		case $path in */all | */default | */lo) continue ;; esac
		own=$(value "$path/$key") && all=$(value "/proc/sys/net/ipv4/conf/all/$key") || return 1
		[ "$own" -gt "$all" ] || own=$all
		case " $* " in *" $own "*) seen=1 ;; *) return 1 ;; esac
	done
	[ -n "$seen" ]
}

# same PATTERN VALUE: each of the files has the value.
same() {
	for file in /proc/sys/$1; do
		case $file in */default/*) continue ;; esac
		[ "$(value "$file")" = "$2" ] || return 1
	done
}

# put PATTERN VALUE STEP: writes down what each file was, and sets it.
put() {
	for file in /proc/sys/$1; do
		case $file in */default/*) continue ;; esac
		now=$(cat "$file") || return 1
		[ "$now" = "$2" ] && continue
		note "s $file $now $2 $3" && echo "$2" >"$file" || return 1
	done
}

# ---- what has been done ----

note() { echo "$1" >>"$state"; }

# has: the host has step n.
has() { step_$n has >/dev/null 2>&1; }

# step_named NAME: finds the number of a step, in n.
step_named() {
	for n in $steps; do
		[ "$(step_$n name)" = "$1" ] && return
	done
	return 1
}

# needed NAME: finds the state of another script that wants the step, in other.
needed() {
	for other in "$dir"/*; do
		[ "$other" != "$state" ] && grep -qxF "u $1" "$other" 2>/dev/null && return
	done
	return 1
}

# hand_over NAME LINE: to another script that wants the step. It takes it back last.
hand_over() {
	needed "$1" && { echo "$2" && cat "$other"; } 2>/dev/null >"$dir/.new" && mv "$dir/.new" "$other" 2>/dev/null &&
		say "stays       $1, for ${other##*/}"
}

# take_back FROM: the last line of the state first, but for the first FROM, and then
# trims it. Only after that nothing waits any more. What was not begun, and what
# others have changed since, stays as it is.
take_back() {
	failed=
	known
	lines=$(tail -n +$(($1 + 1)) "$state" 2>/dev/null | sed -n '1!G;h;$p')
	while IFS= read -r line; do
		case $line in
		'a '*) take_setting_back "${line#a }" ;;
		's '*) take_sysctl_back "${line#s }" ;;
		esac || failed=1
	done <<-END
		$lines
	END
	[ -z "$failed" ] || return 1
	if [ "$1" = 0 ]; then
		rm -f "$state"
	else
		sed "${1}q" "$state" 2>/dev/null >"$dir/.new" && mv "$dir/.new" "$state" 2>/dev/null
	fi && rm -f "$waiting"
}

take_setting_back() {
	hand_over "$1" "a $1" && return
	step_named "$1" && has || return 0
	why=$(step_$n remove 2>&1) || { say "cannot take back $1: $why"; return 1; }
	say "taken back  $1"
}

take_sysctl_back() {
	file=${1%% *} rest=${1#* }
	old=${rest%% *} rest=${rest#* }
	new=${rest%% *} name=${rest#* }
	hand_over "$name" "s $1" && return
	now=$(value "$file") || return 0 # the interface has gone
	case $now in
	"$old") ;;
	"$new")
		why=$( (echo "$old" >"$file") 2>&1) || { say "cannot set $file = $old: $why"; return 1; }
		say "taken back  $file = $old"
		;;
	*) say "stays       $file = $now: it was changed since" ;;
	esac
}

# known: each step of the state is one of this script.
known() {
	[ -e "$state" ] || return 0
	while IFS= read -r line; do
		case $line in
		'a '*) step_named "${line#a }" || die "$state is of another version of this script, which knows '${line#a }': undo with that one" ;;
		esac
	done <"$state"
}

# ---- one at a time ----

# born PID: when it was started, in ticks, unless it is dead. A number alone may be
# another process's by now.
born() { sed -n 's/.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }

# holds HOLDER: the process that wrote this into the lock lives.
holds() { [ -n "${1#* }" ] && [ "$(born "${1%% *}")" = "${1#* }" ]; }

# lock fails while another process has it, which is the holder. It is there with its
# holder's name in it or not at all. A lock whose process is gone counts for nothing.
held=
lock() {
	me=$(exec sh -c 'echo $PPID')
	echo "$me $(born "$me")" >"$dir/.lock.$me" || return 1
	for try in first second; do
		if ln "$dir/.lock.$me" "$dir/.lock" 2>/dev/null; then
			rm -f "$dir/.lock.$me"
			held=1
			trap release EXIT
			return 0
		fi
		holder=$(value "$dir/.lock")
		holds "$holder" && break
		# Whoever was faster may have a new one there by now: that is put back.
		mv "$dir/.lock" "$dir/.stale.$me" 2>/dev/null && [ "$(value "$dir/.stale.$me")" != "$holder" ] &&
			ln "$dir/.stale.$me" "$dir/.lock" 2>/dev/null
		rm -f "$dir/.stale.$me"
	done
	rm -f "$dir/.lock.$me"
	return 1
}

release() {
	[ -z "$held" ] || rm -f "$dir/.lock"
	held=
	trap - INT TERM
}

prepare() {
	mkdir -p "$dir" && [ -w "$dir" ] || die "cannot write to $dir"
	lock || die "another script is at it, process ${holder%% *}"
}

# lock_soon: a holder has 3 s to end, then 3 s to take back what it did, and then it
# is killed.
lock_soon() {
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		lock && return
		case $tries in
		4) holds "$holder" && kill -TERM "${holder%% *}" ;;
		7) holds "$holder" && kill -KILL "${holder%% *}" ;;
		esac
		sleep 1
	done
	return 1
}

# arm SECONDS: takes all back then, unless what waits is gone or another one. It
# hears no hang-up, and is in a session of its own where that can be.
arm() {
	token="$$ $(date +%s) $1"
	why=$( (echo "$token" >"$waiting") 2>&1) || die "cannot write $waiting: nothing was changed: $why"
	note "w $token" 2>/dev/null || fail "cannot write $state"
	if ! command -v setsid >/dev/null; then
		lone="setsid is not here"
	elif ! grep -qxF "kit='$kit'" "$0" 2>/dev/null; then
		lone="the script is not in a file"
	else
		setsid sh "$0" timer "$token" </dev/null >/dev/null 2>&1 &
		return
	fi
	say "The clock is part of this session, as $lone: whatever ends the session may end it"
	(
		trap - EXIT INT TERM
		held=
		timer "$token"
	) </dev/null >/dev/null 2>&1 &
}

waits() { [ "$(value "$waiting")" = "$1" ]; }

# timer TOKEN: what arm starts. Without the line of the token nothing was done.
timer() {
	sleep "${1##* }"
	waits "$1" && lock_soon && waits "$1" || return 0
	trap '' INT TERM
	echo over >"$waiting"
	from=$(grep -nxF "w $1" "$state" | cut -d: -f1)
	[ -z "$from" ] || take_back $((from - 1))
}

# ---- the commands ----

check() {
	missing=0
	for n in $steps; do
		step=$(step_$n name)
		if why=$(step_$n pass 2>/dev/null); then
			say "not needed  $step: $why"
		elif has; then
			say "so already  $step"
		else
			say "missing     $step"
			missing=1
		fi
	done
	return $missing
}

# fail WHY: takes back what this call has done.
fail() {
	trap '' INT TERM
	take_back "$from" || die "$*; not all could be taken back: call undo"
	die "$*; all is as it was"
}

apply() {
	[ -e "$waiting" ] && die "a change waits for confirm or undo"
	known
	from=0
	[ -e "$state" ] && from=$(wc -l <"$state") && from=$((from))
	trap 'fail interrupted' INT TERM
	[ -n "$1" ] && ! (check) && arm "$1"
	for n in $steps; do
		step=$(step_$n name)
		grep -qxF "u $step" "$state" 2>/dev/null && continue
		why=$(note "u $step" 2>&1) || fail "cannot write $state: $why"
	done
	for n in $steps; do
		step=$(step_$n name)
		if why=$(step_$n pass 2>/dev/null); then
			say "not needed  $step: $why"
		elif has; then
			say "so already  $step"
		elif why=$(step_$n add 2>&1) && has; then
			say "done        $step"
		else
			fail "$step: ${why:-it was done and has no effect: look at the value of each interface}"
		fi
	done
	[ -e "$waiting" ] && say "It is taken back in $1 s unless it is confirmed: open a new login, then: confirm"
	return 0
}

confirm() {
	[ -e "$waiting" ] || { say "nothing waits to be confirmed"; return 1; }
	waits over && die "too late: it was to be taken back and not all could be: call undo"
	rm -f "$waiting" || die "cannot remove $waiting: it will be taken back"
	say "confirmed: it stays"
}

undo() {
	trap '' INT TERM
	[ -e "$state" ] || { rm -f "$waiting"; say "nothing is left to undo"; return 0; }
	take_back 0 || die "not all could be taken back: call undo again"
}

main() {
	case $1,${2-} in
	check, | apply, | confirm, | undo, | timer,?*) ;;
	apply,[1-9] | apply,[1-9][0-9] | apply,[1-9][0-9][0-9] | apply,[1-9][0-9][0-9][0-9]) ;;
	*) die "call it with check, apply, apply SECONDS (1 to 9999), confirm or undo" ;;
	esac
	[ "$(id -u)" = 0 ] || die "it needs root"
	command -v ip >/dev/null || die "ip is not here: install iproute2"
	trap '' HUP PIPE
	case $1 in apply | confirm | undo) prepare ;; esac
	"$1" "${2-}"
	code=$?
	release
	tell
	exit $code
}

main "${1-}" "${2-}" </dev/null
