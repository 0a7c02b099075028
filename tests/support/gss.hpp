// Gss: a GssContext that proves nothing and hides nothing, for the state machines around it.
//   token   = step-number:U8          wrapped = "<<" content ^ 0x55 ">"
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_GSS_HPP
#define TERN_TESTS_SUPPORT_GSS_HPP

#include "security/gss_context.hpp"
#include "support/vectors.hpp"

#include <algorithm>

namespace tern::test {

class FakeGss final : public GssContext {
  public:
    struct Answer {
        Outcome outcome;
        std::string token;
    };
    explicit FakeGss(std::vector<Answer> answers) : answers_(std::move(answers)) {}

    Outcome step(Bytes token, std::vector<uint8_t> &out) override {
        heard.emplace_back(token.text());
        const Answer &answer = answers_.at(heard.size() - 1);
        out.assign(answer.token.begin(), answer.token.end());
        return answer.outcome;
    }
    std::string peer_name() const override { return "client@REALM"; }
    bool margins(size_t content_size, Margins &out) const override {
        out.front = 2;
        out.padding = 0;
        out.trailer = 1;
        return content_size <= content_max;
    }
    bool wrap(uint8_t *wrapped, size_t content_size, const Margins &margins) override {
        wrapped[0] = wrapped[1] = '<';
        uint8_t *const content = wrapped + margins.front;
        std::for_each(content, content + content_size, [](uint8_t &byte) { byte ^= 0x55; });
        content[content_size] = '>';
        return can_wrap;
    }
    Unwrapped unwrap(uint8_t *token, size_t size, Bytes &content) override {
        if (size < 3 || token[0] != '<' || token[size - 1] != '>') return Unwrapped::damaged;
        if (token[1] != '<') return Unwrapped::replayed;
        std::for_each(token + 2, token + size - 1, [](uint8_t &byte) { byte ^= 0x55; });
        content = Bytes(token + 2, size - 3);
        return Unwrapped::ok;
    }

    std::vector<std::string> heard;
    bool can_wrap = true;
    size_t content_max = 1 << 20;

  private:
    const std::vector<Answer> answers_;
};

} // namespace tern::test

#endif
