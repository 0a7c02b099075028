#include "base/ring.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>

using namespace tern;

namespace {

using Ints = Ring<std::unique_ptr<int>>;

bool same(Ints &ring, const std::deque<int> &model) {
    if (ring.size() != model.size() || ring.empty() != model.empty()) return false;
    size_t at = 0;
    for (const auto &element : ring)
        if (*element != model[at++]) return false;
    return model.empty() || (*ring.front() == model.front() && *ring.back() == model.back());
}

} // namespace

TEST_CASE("ring: does what a deque does") {
    Ints ring;
    std::deque<int> model;
    bool right = true;
    uint32_t random = 1;
    for (int i = 0; i < 20000 && right; ++i) {
        random = random * 1664525u + 1013904223u;
        switch (random >> 24 & 7) {
        case 0:
        case 1:
            ring.push_back(std::make_unique<int>(i));
            model.push_back(i);
            break;
        case 2:
            ring.push_front(std::make_unique<int>(i));
            model.push_front(i);
            break;
        case 3:
        case 4:
            if (model.empty()) break;
            ring.pop_front();
            model.pop_front();
            break;
        case 5:
            if (model.empty()) break;
            ring.pop_back();
            model.pop_back();
            break;
        case 6:
            *ring.emplace_back(std::make_unique<int>(0)) = i;
            model.push_back(i);
            break;
        default:
            if (i % 100 != 0) break;
            ring.clear();
            model.clear();
        }
        right = same(ring, model);
    }
    CHECK(right);
}

TEST_CASE("ring: an element is taken out wherever it stands") {
    for (int before = 0; before < 5; ++before) {
        Ring<int> ring;
        for (int i = 0; i < before; ++i) ring.push_back(9);
        for (int i = 0; i < before; ++i) ring.pop_front();
        for (const int element : {1, 2, 1, 3, 1}) ring.push_back(element);
        ring.remove(1);
        REQUIRE(ring.size() == 2);
        CHECK(ring[0] == 2);
        CHECK(ring[1] == 3);
        ring.remove(4);
        CHECK(ring.size() == 2);
    }
}
