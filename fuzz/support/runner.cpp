// Runner: a target without libFuzzer, for ordinary builds: every file of a corpus, then mutations
// of them, the same ones in each run. It learns nothing from what it sees; scripts/fuzz does that.
//
//   TARGET [-runs=N] [-seconds=S] [-seed=N] [-save=FILE] FILE-OR-FOLDER ...
//
// Ends with 0 when all N mutations, or those of S seconds, found nothing. What kills the target is
// written to the file, and the exit status is 1.
#include "support/fuzz.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#if defined(__has_feature)
#define FUZZ_HAS_FEATURE(name) __has_feature(name)
#else
#define FUZZ_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || FUZZ_HAS_FEATURE(address_sanitizer)
#define FUZZ_SANITIZER_TELLS_OF_DEATH
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace {

using tern::fuzz::Buffer;

constexpr size_t size_max = 8192;

// ---- what is being run, for the handler

const Buffer *current = nullptr;
unsigned long long runs = 0;
const char *save_file = nullptr;

// Only what a signal handler may do.
void tell_of_death() {
    char line[128];
    const int size = std::snprintf(line, sizeof line, "found a fault in run %llu\n", runs);
    if (size > 0) (void)!write(STDERR_FILENO, line, size_t(size));
    if (!save_file || !current) return;
    const int fd = open(save_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return;
    (void)!write(fd, current->data(), current->size());
    close(fd);
}

void died(int) {
    tell_of_death();
    _exit(1);
}

void watch_for_death() {
#ifdef FUZZ_SANITIZER_TELLS_OF_DEATH
    __sanitizer_set_death_callback(tell_of_death);
    const int signals[] = {SIGABRT}; // the others are the sanitizer's
#else
    const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
#endif
    for (const int number : signals) std::signal(number, died);
}

// ---- mutations

class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ * 0x2545f4914f6cdd1d;
    }
    size_t below(size_t end) { return end == 0 ? 0 : size_t((next() >> 11) % end); }

  private:
    uint64_t state_;
};

// Sizes and counts at which parsers change their minds.
constexpr uint64_t edges[] = {0,
                              1,
                              2,
                              7,
                              8,
                              9,
                              16,
                              32,
                              40,
                              41,
                              63,
                              64,
                              127,
                              128,
                              253,
                              254,
                              255,
                              256,
                              257,
                              32768,
                              65535,
                              65536,
                              65537,
                              0x7fffffff,
                              0x80000000,
                              0xffffffff,
                              0x7fffffffffffffff,
                              0xffffffffffffffff};

void write_edge(Buffer &bytes, Random &random) {
    const size_t width = size_t(1) << random.below(4);
    if (bytes.size() < width) return;
    uint64_t value = edges[random.below(std::size(edges))];
    const size_t at = random.below(bytes.size() - width + 1);
    for (size_t i = width; i-- > 0; value >>= 8) bytes[at + i] = uint8_t(value);
}

void mutate(Buffer &bytes, const Buffer &other, Random &random) {
    const size_t at = random.below(bytes.size() + 1);
    const auto place = bytes.begin() + long(at);
    const size_t rest = bytes.size() - at;
    switch (random.below(9)) {
    case 0:
        if (rest > 0) bytes[at] ^= uint8_t(1u << random.below(8));
        break;
    case 1:
        if (rest > 0) bytes[at] = uint8_t(random.next());
        break;
    case 2:
        if (rest > 0) bytes[at] = uint8_t(bytes[at] + (random.below(2) ? 1 : -1));
        break;
    case 3:
        write_edge(bytes, random);
        break;
    case 4:
        bytes.erase(place, place + long(random.below(std::min<size_t>(rest, 16) + 1)));
        break;
    case 5:
        bytes.insert(place, 1 + random.below(8), uint8_t(random.next()));
        break;
    case 6:
        bytes.resize(at);
        break;
    case 7: { // a part of another, put in
        const size_t from = random.below(other.size() + 1);
        const size_t size = random.below(std::min<size_t>(other.size() - from, 64) + 1);
        bytes.insert(place, other.begin() + long(from), other.begin() + long(from + size));
        break;
    }
    case 8: { // or put over
        const size_t from = random.below(other.size() + 1);
        const size_t size = random.below(std::min(rest, other.size() - from) + 1);
        std::copy_n(other.begin() + long(from), size, place);
        break;
    }
    }
    if (bytes.size() > size_max) bytes.resize(size_max);
}

// ---- corpus

void read_file(const std::string &path, std::vector<Buffer> &corpus) {
    std::ifstream in(path, std::ios::binary);
    Buffer bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (bytes.size() <= size_max * 16) corpus.push_back(std::move(bytes));
}

void read_corpus(const std::string &path, std::vector<Buffer> &corpus) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) return;
    if (!S_ISDIR(status.st_mode)) return read_file(path, corpus);
    std::vector<std::string> names;
    if (DIR *folder = opendir(path.c_str())) {
        while (const dirent *entry = readdir(folder))
            if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
        closedir(folder);
    }
    std::sort(names.begin(), names.end()); // the order of a folder is not the same everywhere
    for (const std::string &name : names) read_corpus(path + "/" + name, corpus);
}

void run_one(const Buffer &bytes) {
    const Buffer own = tern::fuzz::exact(tern::fuzz::view(bytes));
    current = &own;
    ++runs;
    LLVMFuzzerTestOneInput(own.data(), own.size());
    current = nullptr;
}

bool take_option(const char *argument, const char *name, const char *&value) {
    const size_t size = std::strlen(name);
    if (std::strncmp(argument, name, size) != 0) return false;
    value = argument + size;
    return true;
}

} // namespace

int main(int argc, char **argv) {
    unsigned long long mutations = 0, seconds = 0, seed = 1;
    std::vector<Buffer> corpus;
    for (int i = 1; i < argc; ++i) {
        const char *value = nullptr;
        if (take_option(argv[i], "-runs=", value))
            mutations = std::strtoull(value, nullptr, 10);
        else if (take_option(argv[i], "-seconds=", value))
            seconds = std::strtoull(value, nullptr, 10);
        else if (take_option(argv[i], "-seed=", value))
            seed = std::strtoull(value, nullptr, 10);
        else if (take_option(argv[i], "-save=", value))
            save_file = value;
        else
            read_corpus(argv[i], corpus);
    }
    if (corpus.empty()) {
        std::fprintf(stderr, "there is no corpus\n");
        return 2;
    }
    watch_for_death();
    for (const Buffer &bytes : corpus) run_one(bytes);
    run_one({});

    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    Random random(seed);
    for (unsigned long long i = 0; i < mutations; ++i) {
        if (seconds > 0 && i % 64 == 0 && Clock::now() >= end) break;
        Buffer bytes = corpus[random.below(corpus.size())];
        for (size_t n = 1 + random.below(6); n > 0; --n)
            mutate(bytes, corpus[random.below(corpus.size())], random);
        run_one(bytes);
    }
    std::printf("%llu runs, %zu of them from the corpus\n", runs, corpus.size());
    return 0;
}
