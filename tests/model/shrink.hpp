// Delta debugging: takes away from a list whatever is not needed for it to fail.
// Threads: the caller's.
// Limit: stops at the deadline with the shortest list found so far.
#ifndef TERN_TESTS_MODEL_SHRINK_HPP
#define TERN_TESTS_MODEL_SHRINK_HPP

#include <algorithm>
#include <chrono>
#include <vector>

namespace model {

template <typename Item, typename Fails>
std::vector<Item> shrink(std::vector<Item> items, std::chrono::steady_clock::time_point deadline,
                         const Fails& fails) {
    const auto is_late = [&] { return std::chrono::steady_clock::now() >= deadline; };
    std::size_t piece = std::max<std::size_t>(items.size() / 2, 1);
    while (!items.empty() && !is_late()) {
        bool has_shrunk = false;
        for (std::size_t begin = 0; begin < items.size() && !is_late();) {
            const std::size_t end = std::min(begin + piece, items.size());
            std::vector<Item> rest(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(begin));
            rest.insert(rest.end(), items.begin() + static_cast<std::ptrdiff_t>(end), items.end());
            if (fails(rest)) {
                items = std::move(rest);
                has_shrunk = true;
            } else {
                begin = end;
            }
        }
        if (piece > 1)
            piece = (piece + 1) / 2;
        else if (!has_shrunk)
            break;
    }
    return items;
}

} // namespace model

#endif
