// Runs random programs beside the model, each in a process of its own, and reports the first violation with its seed and
// a shrunk program.
//
//     model [-seeds=N] [-first=SEED] [-operations=N] [-jobs=N] [-stable] [-save=FOLDER] [-shrink=SECONDS] [-keep-going]
//     model -replay=FILE [-times=N] [-reduce] [-trace]
//     model -expect=KIND ...     passes when a violation of this kind is found: the test of the test
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "player.hpp"
#include "program.hpp"
#include "random.hpp"
#include "shrink.hpp"

namespace {

using namespace model;
using Clock = std::chrono::steady_clock;

struct Arguments {
    std::uint64_t seeds = 20;
    std::uint64_t first = 0;
    bool has_first = false;
    int jobs = 1;
    int shrink_seconds = 60;
    int times = 20;
    int hang_seconds = 120;
    int patience_seconds = 20;
    bool keeps_going = false;
    bool reduces = false;
    bool traces = false;
    std::string save = ".";
    std::string replay;
    std::string expect;
    Wishes wishes;
};

// A program in a process of its own.
struct Run {
    pid_t pid = -1;
    int report = -1;
    std::uint64_t seed = 0;
    Clock::time_point begin;
    std::string text;
};

struct Result {
    std::string violation;
    Outcome outcome;
};

Run start(const Program& program, int patience_seconds, bool is_traced = false) {
    Run run;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        std::abort();
    std::fflush(nullptr);
    run.begin = Clock::now();
    run.pid = ::fork();
    if (run.pid == 0) {
        ::close(ends[0]);
        const Outcome outcome = play(program, patience_seconds, is_traced);
        std::string text = std::to_string(outcome.operations) + ' ' + std::to_string(outcome.accepted) + ' ' +
                           std::to_string(outcome.delivered) + ' ' + std::to_string(outcome.delivered_owed) + '\n' +
                           outcome.violation;
        text.resize(std::min<std::size_t>(text.size(), 4000));
        (void)!::write(ends[1], text.data(), text.size());
        ::close(ends[1]);
        std::exit(0);
    }
    ::close(ends[1]);
    run.report = ends[0];
    return run;
}

Result finish(Run& run, bool has_hung) {
    Result result;
    char bytes[4096];
    int status = 0;
    if (has_hung) {
        if (std::getenv("MODEL_HANG_COMMAND")) { // for looking at it
            const std::string command = std::string(std::getenv("MODEL_HANG_COMMAND")) + ' ' + std::to_string(run.pid);
            (void)!std::system(command.c_str());
        }
        ::kill(run.pid, SIGKILL);
        ::waitpid(run.pid, &status, 0);
        ::close(run.report);
        result.violation = "hang: no end in sight";
        return result;
    }
    ssize_t count = 0;
    while ((count = ::read(run.report, bytes, sizeof bytes)) > 0)
        run.text.append(bytes, static_cast<std::size_t>(count));
    ::close(run.report);
    ::waitpid(run.pid, &status, 0);
    unsigned long long numbers[4] = {};
    const std::size_t line = run.text.find('\n');
    if (WIFSIGNALED(status))
        result.violation = "crash: signal " + std::to_string(WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0 || line == std::string::npos)
        result.violation = "crash: exit status " + std::to_string(WEXITSTATUS(status));
    else
        result.violation = run.text.substr(line + 1);
    std::sscanf(run.text.c_str(), "%llu %llu %llu %llu", &numbers[0], &numbers[1], &numbers[2], &numbers[3]);
    result.outcome.operations = numbers[0];
    result.outcome.accepted = numbers[1];
    result.outcome.delivered = numbers[2];
    result.outcome.delivered_owed = numbers[3];
    return result;
}

Result run_alone(const Program& program, int hang_seconds, int patience_seconds, bool is_traced = false) {
    Run run = start(program, patience_seconds, is_traced);
    pollfd item{run.report, POLLIN, 0};
    return finish(run, ::poll(&item, 1, hang_seconds * 1000) == 0);
}

std::string kind_of(const std::string& violation) {
    return violation.substr(0, violation.find(':'));
}

void report(const Arguments& arguments, std::uint64_t seed, const Program& program, const std::string& violation) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violation.c_str());
    const auto deadline = Clock::now() + std::chrono::seconds(arguments.shrink_seconds);
    const int hang_seconds = kind_of(violation) == "hang" ? 15 : arguments.hang_seconds;
    Program shrunk = program;
    std::string last = violation;
    shrunk.operations = shrink(program.operations, deadline, [&](const std::vector<Operation>& operations) {
        Program candidate = program;
        candidate.operations = operations;
        // Threads and networks have a will of their own, so one good run proves little.
        for (int i = 0; i < 3; ++i) {
            const Result result = run_alone(candidate, hang_seconds, 3);
            if (kind_of(result.violation) == kind_of(violation)) {
                last = result.violation;
                return true;
            }
        }
        return false;
    });
    const std::string path = arguments.save + "/model-" + std::to_string(seed) + ".program";
    std::ofstream file(path);
    file << "# seed " << seed << ": " << last << '\n';
    write_program(file, shrunk);
    std::printf("  shrunk from %zu to %zu operations: %s\n  %s\n", program.operations.size(), shrunk.operations.size(),
                last.c_str(), path.c_str());
    std::fflush(stdout);
}

int replay(const Arguments& arguments) {
    std::ifstream file(arguments.replay);
    Program program;
    if (!file || !read_program(file, program)) {
        std::printf("%s: no program\n", arguments.replay.c_str());
        return 2;
    }
    int violations = 0;
    if (arguments.reduces) {
        const Result result = run_alone(program, arguments.hang_seconds, arguments.patience_seconds);
        report(arguments, 0, program, result.violation);
        return 1;
    }
    for (int i = 0; i < arguments.times; ++i) {
        const Result result =
            run_alone(program, arguments.hang_seconds, arguments.patience_seconds, arguments.traces);
        if (!result.violation.empty() && ++violations <= 3)
            std::printf("%s\n", result.violation.c_str());
    }
    std::printf("%d of %d runs violated the model\n", violations, arguments.times);
    return violations == 0 ? 0 : 1;
}

int run_seeds(const Arguments& arguments) {
    std::vector<Run> runs;
    std::uint64_t next = 0;
    std::uint64_t done = 0;
    Outcome sum;
    std::map<std::string, int> violations;
    bool is_stopping = false;
    while ((!is_stopping && next < arguments.seeds) || !runs.empty()) {
        while (!is_stopping && next < arguments.seeds && static_cast<int>(runs.size()) < arguments.jobs) {
            const std::uint64_t seed = arguments.first + next++;
            runs.push_back(start(make_program(seed, arguments.wishes), arguments.patience_seconds));
            runs.back().seed = seed;
        }
        std::vector<pollfd> items;
        for (const Run& run : runs)
            items.push_back({run.report, POLLIN, 0});
        ::poll(items.data(), items.size(), 1000);
        for (std::size_t i = runs.size(); i-- > 0;) {
            const bool has_hung = Clock::now() - runs[i].begin > std::chrono::seconds(arguments.hang_seconds);
            if (items[i].revents == 0 && !has_hung)
                continue;
            Run run = runs[i];
            runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(i));
            const Result result = finish(run, items[i].revents == 0);
            ++done;
            sum.operations += result.outcome.operations;
            sum.accepted += result.outcome.accepted;
            sum.delivered += result.outcome.delivered;
            sum.delivered_owed += result.outcome.delivered_owed;
            if (result.violation.empty())
                continue;
            ++violations[kind_of(result.violation)];
            if (!arguments.expect.empty()) {
                std::printf("seed %llu: %s\n", static_cast<unsigned long long>(run.seed), result.violation.c_str());
                is_stopping = is_stopping || kind_of(result.violation) == arguments.expect;
            } else if (!is_stopping) {
                report(arguments, run.seed, make_program(run.seed, arguments.wishes), result.violation);
                is_stopping = !arguments.keeps_going;
            }
        }
        if (done % 100 == 0 && arguments.seeds > 200) {
            std::printf("... %llu seeds\n", static_cast<unsigned long long>(done));
            std::fflush(stdout);
        }
    }
    std::printf("%llu programs, %llu operations, %llu messages accepted, %llu delivered, %llu of them owed\n",
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(sum.operations),
                static_cast<unsigned long long>(sum.accepted), static_cast<unsigned long long>(sum.delivered),
                static_cast<unsigned long long>(sum.delivered_owed));
    for (const auto& [kind, count] : violations)
        std::printf("%d x %s\n", count, kind.c_str());
    if (!arguments.expect.empty()) {
        const bool is_found = violations.count(arguments.expect) != 0;
        std::printf("%s: %s\n", arguments.expect.c_str(), is_found ? "found, as it must be" : "NOT FOUND");
        return is_found ? 0 : 1;
    }
    return violations.empty() ? 0 : 1;
}

bool read_arguments(int count, char** texts, Arguments& arguments) {
    for (int i = 1; i < count; ++i) {
        const std::string text = texts[i];
        const std::size_t equals = text.find('=');
        const std::string name = text.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
        if (name == "-seeds")
            arguments.seeds = std::strtoull(value.c_str(), nullptr, 10);
        else if (name == "-first")
            arguments.first = std::strtoull(value.c_str(), nullptr, 10), arguments.has_first = true;
        else if (name == "-operations")
            arguments.wishes.operations = std::atoi(value.c_str());
        else if (name == "-jobs")
            arguments.jobs = std::atoi(value.c_str());
        else if (name == "-shrink")
            arguments.shrink_seconds = std::atoi(value.c_str());
        else if (name == "-times")
            arguments.times = std::atoi(value.c_str());
        else if (name == "-hang")
            arguments.hang_seconds = std::atoi(value.c_str());
        else if (name == "-patience")
            arguments.patience_seconds = std::atoi(value.c_str());
        else if (name == "-save")
            arguments.save = value;
        else if (name == "-replay")
            arguments.replay = value;
        else if (name == "-expect")
            arguments.expect = value;
        else if (name == "-reduce")
            arguments.reduces = true;
        else if (name == "-trace")
            arguments.traces = true;
        else if (name == "-stable")
            arguments.wishes.is_stable = true;
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
        std::printf("model: unknown argument; see the head of model.cpp\n");
        return 2;
    }
    if (!arguments.replay.empty())
        return replay(arguments);
    if (!arguments.has_first)
        arguments.first = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()) % 1000000000u;
    Dl_info library{};
    ::dladdr(reinterpret_cast<void*>(&zmq_version), &library);
    std::printf("seeds from %llu, on %s\n", static_cast<unsigned long long>(arguments.first), library.dli_fname);
    return run_seeds(arguments);
}
