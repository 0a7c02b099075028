// Plays random API programs on two libraries, each in a process of its own, and compares what every call did. A
// difference that the table of allowed ones does not explain is shrunk and reported.
//
//     differential OURS REFERENCE [-programs=N] [-first=SEED] [-calls=N] [-save=FOLDER] [-shrink=SECONDS] [-keep-going]
//     differential OURS REFERENCE -replay=FILE
//
// A program on which the reference ends by a signal is counted and left out; ours may not.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "../shrink.hpp"
#include "allowed.hpp"
#include "calls.hpp"

namespace {

using namespace model;
using Clock = std::chrono::steady_clock;

constexpr int hang_seconds = 60;

struct Arguments {
    std::string ours;
    std::string reference;
    std::uint64_t programs = 100;
    std::uint64_t first = 0;
    bool has_first = false;
    bool keeps_going = false;
    int calls = 60;
    int shrink_seconds = 60;
    std::string save = ".";
    std::string replay;
};

struct Answer {
    std::vector<std::string> lines;
    std::string death; // empty: none
};

// Plays the programs that it is sent, in a process with one library. A dead one is replaced.
class Worker final {
  public:
    explicit Worker(const std::string& path) : path_(path) {}
    ~Worker() { stop(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void ask(const std::vector<Call>& calls, int patience) {
        if (pid_ < 0)
            start();
        const std::uint32_t head[2] = {static_cast<std::uint32_t>(calls.size()), static_cast<std::uint32_t>(patience)};
        write_all(to_, head, sizeof head);
        write_all(to_, calls.data(), calls.size() * sizeof(Call));
    }

    Answer answer() {
        Answer result;
        std::string text;
        char bytes[65536];
        for (;;) {
            pollfd item{from_, POLLIN, 0};
            if (::poll(&item, 1, hang_seconds * 1000) == 0) {
                stop();
                result.death = "hangs";
                return result;
            }
            const ssize_t count = ::read(from_, bytes, sizeof bytes);
            if (count <= 0) {
                const int status = stop();
                result.death = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "exit";
                return result;
            }
            text.append(bytes, static_cast<std::size_t>(count));
            if (text.size() >= 2 && text.compare(text.size() - 2, 2, "\n\n") == 0)
                break;
        }
        std::size_t begin = 0;
        for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos && end > begin; begin = end + 1)
            result.lines.push_back(text.substr(begin, end - begin));
        return result;
    }

  private:
    static bool write_all(int to, const void* data, std::size_t size) {
        const char* bytes = static_cast<const char*>(data);
        while (size > 0) {
            const ssize_t count = ::write(to, bytes, size);
            if (count <= 0)
                return false;
            bytes += count;
            size -= static_cast<std::size_t>(count);
        }
        return true;
    }

    static bool read_all(int from, void* data, std::size_t size) {
        char* bytes = static_cast<char*>(data);
        while (size > 0) {
            const ssize_t count = ::read(from, bytes, size);
            if (count <= 0)
                return false;
            bytes += count;
            size -= static_cast<std::size_t>(count);
        }
        return true;
    }

    [[noreturn]] void serve(int in, int out) const {
        void* const library = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            std::fprintf(stderr, "%s\n", ::dlerror());
            std::_Exit(3);
        }
        std::uint32_t head[2];
        while (read_all(in, head, sizeof head)) {
            std::vector<Call> calls(head[0]);
            if (!read_all(in, calls.data(), calls.size() * sizeof(Call)))
                break;
            std::string text;
            for (const std::string& line : trace(library, calls, static_cast<int>(head[1])))
                text += line + '\n';
            text += '\n';
            if (!write_all(out, text.data(), text.size()))
                break;
        }
        std::_Exit(0);
    }

    void start() {
        int down[2];
        int up[2];
        if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
            std::abort();
        std::fflush(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(down[1]);
            ::close(up[0]);
            const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
            ::dup2(nowhere, 2); // the last words of the reference
            serve(down[0], up[1]);
        }
        ::close(down[0]);
        ::close(up[1]);
        to_ = down[1];
        from_ = up[0];
    }

    int stop() {
        int status = 0;
        if (pid_ < 0)
            return status;
        ::close(to_);
        ::close(from_);
        // It has ended by itself, or does not answer.
        for (int i = 0; i < 100 && ::waitpid(pid_, &status, WNOHANG) == 0; ++i) {
            ::usleep(10000);
            if (i == 99) {
                ::kill(pid_, SIGKILL);
                ::waitpid(pid_, &status, 0);
            }
        }
        pid_ = -1;
        return status;
    }

    const std::string path_;
    pid_t pid_ = -1;
    int to_ = -1;
    int from_ = -1;
};

struct Comparison {
    enum class Kind { same, explained, different, reference_died } kind = Kind::same;
    std::string text;
    std::vector<const Allowed*> used;
};

Comparison compare(const Answer& ours, const Answer& reference) {
    Comparison result;
    if (!reference.death.empty()) {
        result.kind = Comparison::Kind::reference_died;
        result.text = reference.death;
        return result;
    }
    if (!ours.death.empty()) {
        result.kind = Comparison::Kind::different;
        result.text = "ours ended: " + ours.death;
        return result;
    }
    for (std::size_t i = 0; i < ours.lines.size() && i < reference.lines.size(); ++i) {
        if (ours.lines[i] == reference.lines[i])
            continue;
        const Allowed* const allowed = find_allowed(reference.lines[i], ours.lines[i]);
        if (!allowed) {
            result.kind = Comparison::Kind::different;
            result.text = "call " + std::to_string(i) + "\n    libzmq: " + reference.lines[i] + "\n    ours:   " + ours.lines[i];
            return result;
        }
        result.kind = Comparison::Kind::explained;
        result.used.push_back(allowed);
        if (!allowed->goes_on)
            return result;
    }
    return result;
}

struct Pair {
    Worker ours;
    Worker reference;

    Comparison run_once(const std::vector<Call>& calls, int patience) {
        ours.ask(calls, patience);
        reference.ask(calls, patience);
        const Answer from_ours = ours.answer();
        return compare(from_ours, reference.answer());
    }

    // The reference closes sockets in a thread of its own, which may be late: only what stays the same when more time is
    // given is a difference.
    Comparison run(const std::vector<Call>& calls) {
        Comparison result;
        for (const int patience : {1, 3, 10, 30}) {
            result = run_once(calls, patience);
            if (result.kind != Comparison::Kind::different)
                break;
        }
        return result;
    }
};

std::string last_part(const std::string& text) {
    const std::size_t at = text.find("libzmq: ");
    return at == std::string::npos ? text : text.substr(at, text.find(' ', at + 8) - at);
}

void report(const Arguments& arguments, Pair& pair, std::uint64_t seed, const std::vector<Call>& calls,
            const std::string& text) {
    std::string last = text;
    const auto deadline = Clock::now() + std::chrono::seconds(arguments.shrink_seconds);
    const std::vector<Call> shrunk = shrink(calls, deadline, [&](const std::vector<Call>& candidate) {
        Comparison result = pair.run_once(candidate, 1);
        if (result.kind == Comparison::Kind::different && last_part(result.text) == last_part(text))
            result = pair.run(candidate);
        if (result.kind != Comparison::Kind::different || last_part(result.text) != last_part(text))
            return false;
        last = result.text;
        return true;
    });
    const std::string path = arguments.save + "/differential-" + std::to_string(seed) + ".calls";
    std::ofstream file(path);
    write_calls(file, shrunk);
    std::printf("seed %llu, shrunk to %zu calls: %s\n  %s\n", static_cast<unsigned long long>(seed), shrunk.size(),
                last.c_str(), path.c_str());
    std::fflush(stdout);
    pair.ours.ask(shrunk, 3);
    for (const std::string& line : pair.ours.answer().lines)
        std::printf("      %s\n", line.c_str());
}

int replay(const Arguments& arguments, Pair& pair) {
    std::ifstream file(arguments.replay);
    std::vector<Call> calls;
    if (!file || !read_calls(file, calls)) {
        std::printf("%s: no calls\n", arguments.replay.c_str());
        return 2;
    }
    pair.ours.ask(calls, 3);
    pair.reference.ask(calls, 3);
    const Answer ours = pair.ours.answer();
    const Answer reference = pair.reference.answer();
    for (std::size_t i = 0; i < ours.lines.size(); ++i) {
        std::printf("%s\n", ours.lines[i].c_str());
        if (i >= reference.lines.size() || reference.lines[i] != ours.lines[i])
            std::printf("    libzmq: %s\n", i < reference.lines.size() ? reference.lines[i].c_str() : reference.death.c_str());
    }
    return compare(ours, reference).kind == Comparison::Kind::different ? 1 : 0;
}

bool read_arguments(int count, char** texts, Arguments& arguments) {
    if (count < 3)
        return false;
    arguments.ours = texts[1];
    arguments.reference = texts[2];
    for (int i = 3; i < count; ++i) {
        const std::string text = texts[i];
        const std::size_t equals = text.find('=');
        const std::string name = text.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
        if (name == "-programs")
            arguments.programs = std::strtoull(value.c_str(), nullptr, 10);
        else if (name == "-first")
            arguments.first = std::strtoull(value.c_str(), nullptr, 10), arguments.has_first = true;
        else if (name == "-calls")
            arguments.calls = std::atoi(value.c_str());
        else if (name == "-shrink")
            arguments.shrink_seconds = std::atoi(value.c_str());
        else if (name == "-save")
            arguments.save = value;
        else if (name == "-replay")
            arguments.replay = value;
        else if (name == "-keep-going")
            arguments.keeps_going = true;
        else
            return false;
    }
    return true;
}

} // namespace

int main(int count, char** texts) {
    Arguments arguments;
    if (!read_arguments(count, texts, arguments)) {
        std::printf("differential OURS REFERENCE [OPTION ...]: see the head of differential.cpp\n");
        return 2;
    }
    ::signal(SIGPIPE, SIG_IGN);
    Pair pair{Worker(arguments.ours), Worker(arguments.reference)};
    if (!arguments.replay.empty())
        return replay(arguments, pair);
    if (!arguments.has_first)
        arguments.first = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()) % 1000000000u;
    std::printf("seeds from %llu\n", static_cast<unsigned long long>(arguments.first));
    std::map<const Allowed*, std::uint64_t> used;
    std::uint64_t done = 0;
    std::uint64_t same = 0;
    std::uint64_t explained = 0;
    std::uint64_t different = 0;
    std::map<std::string, std::uint64_t> deaths;
    for (; done < arguments.programs && (arguments.keeps_going || different == 0); ++done) {
        const std::uint64_t seed = arguments.first + done;
        const std::vector<Call> calls = make_calls(seed, arguments.calls);
        const Comparison result = pair.run(calls);
        for (const Allowed* const each : result.used)
            ++used[each];
        same += result.kind == Comparison::Kind::same;
        explained += result.kind == Comparison::Kind::explained;
        if (result.kind == Comparison::Kind::reference_died)
            ++deaths[result.text];
        if (result.kind == Comparison::Kind::different) {
            ++different;
            report(arguments, pair, seed, calls, result.text);
        }
        if ((done + 1) % 10000 == 0) {
            std::printf("... %llu programs\n", static_cast<unsigned long long>(done + 1));
            std::fflush(stdout);
        }
    }
    std::printf("%llu programs of %d calls: %llu the same, %llu with allowed differences, %llu different\n",
                static_cast<unsigned long long>(done), arguments.calls, static_cast<unsigned long long>(same),
                static_cast<unsigned long long>(explained), static_cast<unsigned long long>(different));
    for (const auto& [death, number] : deaths)
        std::printf("  left out: %llu on which libzmq ended: %s\n", static_cast<unsigned long long>(number), death.c_str());
    for (const auto& [allowed, number] : used)
        std::printf("  %llu x %s (%s)\n", static_cast<unsigned long long>(number), allowed->reason, allowed->decision);
    return different == 0 ? 0 : 1;
}
