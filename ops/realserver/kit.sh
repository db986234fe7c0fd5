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

# Words that nobody can read any more are no reason to stop.
say() { echo "$*" 2>/dev/null || :; }

die() {
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
	needed "$1" && { echo "$2" && cat "$other"; } >"$dir/.new" && mv "$dir/.new" "$other" &&
		say "stays       $1, for ${other##*/}"
}

# take_back FROM: the last line of the state first, but for the first FROM. What was
# not begun, and what others have changed since, stays as it is.
take_back() {
	failed=
	lines=$(tail -n +$(($1 + 1)) "$state" | sed -n '1!G;h;$p')
	while IFS= read -r line; do
		case $line in
		'a '*) take_setting_back "${line#a }" ;;
		's '*) take_sysctl_back "${line#s }" ;;
		esac || failed=1
	done <<-END
		$lines
	END
	[ -z "$failed" ]
}

take_setting_back() {
	hand_over "$1" "a $1" && return
	step_named "$1" && step_$n has || return 0
	step_$n remove && say "taken back  $1"
}

take_sysctl_back() {
	file=${1%% *} rest=${1#* }
	old=${rest%% *} rest=${rest#* }
	new=${rest%% *} name=${rest#* }
	hand_over "$name" "s $1" && return
	now=$(value "$file") || return 0 # the interface has gone
	case $now in
	"$old") ;;
	"$new") echo "$old" >"$file" && say "taken back  $file = $old" ;;
	*) say "stays       $file = $now: it was changed since" ;;
	esac
}

# known: each step of the state is one of this script.
known() {
	while IFS= read -r line; do
		case $line in
		'a '*) step_named "${line#a }" || die "$state is of another version of this script, which knows '${line#a }': undo with that one" ;;
		esac
	done <"$state"
}

# ---- one at a time ----

# lock fails while another process has it, which is the holder. A lock whose process
# is gone counts for nothing.
lock() {
	me=$(exec sh -c 'echo $PPID')
	for try in first second; do
		if (set -C && echo "$me" >"$dir/.lock") 2>/dev/null; then
			trap 'rm -f "$dir/.lock"' EXIT
			return 0
		fi
		holder=$(cat "$dir/.lock" 2>/dev/null)
		[ -n "$holder" ] && kill -0 "$holder" 2>/dev/null && return 1
		rm -f "$dir/.lock"
	done
	return 1
}

prepare() {
	mkdir -p "$dir" && [ -w "$dir" ] || die "cannot write to $dir"
	lock || die "another script is at it, process $holder"
}

# arm SECONDS: takes all back then, unless what waits is gone or another one. It
# hears no hang-up, and waits until apply has ended.
arm() {
	token="$$ $(date +%s)"
	echo "$token" >"$waiting" || die "cannot write $waiting: nothing was changed"
	(
		trap - EXIT INT TERM
		sleep "$1"
		[ "$(cat "$waiting" 2>/dev/null)" = "$token" ] && mv "$waiting" "$waiting.over" || exit 0
		until lock; do sleep 1; done
		take_back 0 && rm -f "$state" "$waiting.over"
	) </dev/null >/dev/null 2>&1 &
}

# ---- the commands ----

check() {
	missing=0
	for n in $steps; do
		step=$(step_$n name)
		if why=$(step_$n pass); then
			say "not needed  $step: $why"
		elif step_$n has; then
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
	rm -f "$waiting"
	take_back "$from" || die "$*; not all could be taken back: call undo"
	if [ "$from" = 0 ]; then
		rm -f "$state"
	else
		sed "${from}q" "$state" >"$dir/.new" && mv "$dir/.new" "$state"
	fi
	die "$*; all is as it was"
}

apply() {
	[ -e "$waiting" ] && die "a change waits for confirm or undo"
	from=0
	[ -e "$state" ] && from=$(wc -l <"$state") && from=$((from))
	[ -n "$1" ] && ! check >/dev/null && arm "$1"
	trap 'fail interrupted' INT TERM
	for n in $steps; do
		step=$(step_$n name)
		grep -qxF "u $step" "$state" 2>/dev/null || note "u $step" || fail "cannot write $state"
	done
	for n in $steps; do
		step=$(step_$n name)
		if why=$(step_$n pass); then
			say "not needed  $step: $why"
		elif step_$n has; then
			say "so already  $step"
		elif why=$(step_$n add 2>&1) && step_$n has; then
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
	mv "$waiting" "$waiting.kept" 2>/dev/null || die "too late: it is being taken back"
	rm -f "$waiting.kept"
	say "confirmed: it stays"
}

undo() {
	trap '' INT TERM
	rm -f "$waiting"
	[ -e "$state" ] || { say "nothing is left to undo"; return 0; }
	known
	take_back 0 || die "not all could be taken back: call undo again"
	rm -f "$state"
}

main() {
	case $1,${2-} in
	check, | apply, | confirm, | undo,) ;;
	apply,[1-9] | apply,[1-9][0-9] | apply,[1-9][0-9][0-9] | apply,[1-9][0-9][0-9][0-9]) ;;
	*) die "call it with check, apply, apply SECONDS (1 to 9999), confirm or undo" ;;
	esac
	[ "$(id -u)" = 0 ] || die "it needs root"
	command -v ip >/dev/null || die "ip is not here: install iproute2"
	trap '' HUP PIPE
	case $1 in apply | undo) prepare ;; esac
	"$1" "${2-}"
}

main "${1-}" "${2-}" </dev/null
