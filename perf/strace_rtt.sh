#!/usr/bin/env bash
# System calls per REQ/REP round trip over tcp, counted in the steady state of one client.
#
#   strace_rtt.sh BUILD_DIRECTORY LIBRARY [ROUND_TRIPS] [--summary]
#
# BUILD_DIRECTORY holds local_lat and steady_client, LIBRARY is the libzmq.so.5 they shall use. The client runs twice
# under strace: with -f (all of its threads) and without (its main thread only). steady_client marks begin and end of
# the steady state by getppid(); only what lies between is counted, so start, handshake and end cost nothing.
# strace makes every call slow, so a library that spins before it sleeps may sleep more often here than in real life.
# --summary also prints strace's own table (-C, the whole life of the client).
set -eu

if [ $# -lt 2 ]; then
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
library=$(readlink -f "$2")
round_trips=1000
summary=no
for argument in "${@:3}"; do
    case $argument in
    --summary) summary=yes ;;
    *) round_trips=$argument ;;
    esac
done

directory=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    rm -rf "$directory"
}
trap clean_up EXIT
mkdir "$directory/lib"
ln -s "$library" "$directory/lib/libzmq.so.5"
export LD_LIBRARY_PATH="$directory/lib"

# Reads a trace written with -y (descriptors carry their kind) and prints one column of the table.
count_calls() {
    awk -v trips="$round_trips" '
        { line = $0; sub(/^[0-9]+ +/, "", line) }  # with -f every line begins with the thread
        line ~ /^getppid\(/ { steady = !steady; ++marks; next }
        !steady || line ~ /^<\.\.\. / || line !~ /^[a-z0-9_]+\(/ { next }  # "resumed" is the second half of a call
        {
            name = line; sub(/\(.*/, "", name)
            descriptor = line; sub(/^[a-z0-9_]+\(/, "", descriptor); sub(/[,)].*/, "", descriptor)
            is_eventfd = descriptor ~ /eventfd/
            if (name ~ /^(write|writev)$/ && is_eventfd) kind = "eventfd write"
            else if (name ~ /^(read|readv)$/ && is_eventfd) kind = "eventfd read"
            else if (name ~ /^(send|sendto|sendmsg|sendmmsg|write|writev)$/) kind = "send"
            else if (name ~ /^(recv|recvfrom|recvmsg|recvmmsg|read|readv)$/) kind = "recv"
            else if (name ~ /^(poll|ppoll|select|pselect6|epoll_wait|epoll_pwait|epoll_pwait2)$/) kind = "wait"
            else if (name == "futex") kind = "futex"
            else { kind = "other"; others[name]++ }
            ++calls[kind]; ++total
            if (kind == "recv" && line ~ /EAGAIN/) ++calls["empty recv"]
        }
        END {
            if (marks != 2) { print "the marks are missing in the trace" > "/dev/stderr"; exit 1 }
            count = split("send|recv|empty recv|wait|futex|eventfd write|eventfd read|other", kinds, "|")
            for (i = 1; i <= count; ++i) printf "%.2f\n", calls[kinds[i]] / trips
            printf "%.2f\n", total / trips
            for (name in others) list = list " " name
            print "others:" list > "/dev/stderr"
        }' "$1"
}

# One client under strace; $1 is the name of the run, the rest are further options.
trace_client() {
    local name=$1 port endpoint
    shift
    port=$((10000 + RANDOM % 20000))
    endpoint=tcp://127.0.0.1:$port
    timeout 120 "$build/local_lat" "$endpoint" 1 $((round_trips + 100)) >/dev/null &
    server=$!
    timeout 120 strace "$@" -C -y -o "$directory/$name.trace" \
        "$build/steady_client" "$endpoint" 1 "$round_trips"
    wait "$server"
    server=
    count_calls "$directory/$name.trace" >"$directory/$name.column" 2>"$directory/$name.others"
}

# A path built into the program would win over LD_LIBRARY_PATH: asks the dynamic loader what it really takes.
mapped=$(LD_DEBUG=libs "$build/steady_client" 2>&1 | sed -n 's/.*calling init: \(.*libzmq.*\)/\1/p' | head -n 1)
if [ "$(readlink -f "${mapped:-none}")" != "$library" ]; then
    echo "steady_client maps '$mapped' instead of $library" >&2
    exit 1
fi

trace_client threads -f
trace_client main
echo "$library"
echo "calls per round trip (REQ/REP tcp 1 B, $round_trips round trips, the client's side)"
printf '%-22s %12s %12s\n' "" "all threads" "main thread"
printf '%s\n' "send" "recv" "  of these empty" "wait" "futex" "eventfd write" "eventfd read" "other" "total" |
    paste -d '\t' - "$directory/threads.column" "$directory/main.column" |
    awk -F '\t' '{ printf "%-22s %12s %12s\n", $1, $2, $3 }'
echo "$(cat "$directory/threads.others") (all threads)"
if [ $summary = yes ]; then
    sed -n '/^% time/,$p' "$directory/threads.trace"
fi
