#include "gctl/node/exec_desk.h"

#include <doctest/doctest.h>

namespace gaggle::node {

namespace {

const PeerId kNear{{1}};
const ExecNumber kNumber{.began = {5}, .exchange = 1};
const ExecKey kKey{kNear, kNumber};

/// The far side, its machine played by the test.
class World {
  public:
    World() { out.self = PeerId{{9}}; }

    template <class What>
    void ask(const What& what) {
        const auto work =
            desk.take_in(now, kNear, {.request = ++requests, .alloc = {}, .what = what}, out);
        REQUIRE(work);
        if constexpr (std::is_same_v<What, ExecStart>)
            exec.on(now, *work, kNear, AllocId{}, what, out);
        else
            exec.on(now, *work, kNear, what, out);
    }
    void start() {
        ask(ExecStart{.session = kNumber, .task = "t", .argv = {"sh"}, .terminal = {}});
        news(ExecBegan{});
        answer<Done>();
        work();
    }
    void news(decltype(ExecNews::what) what) { exec.on(now, {kKey, std::move(what)}, out); }
    void output(const std::string& text) { news(ExecSaid{false, to_bytes(text)}); }
    void read(std::uint64_t offset) { ask(ExecRead{kNumber, offset}); }
    void write(std::uint64_t offset, const std::string& text, bool close = false) {
        ask(ExecWrite{kNumber, offset, to_bytes(text), close, {}});
    }
    void pass(Duration span) {
        now.time += span;
        exec.tick(now, out);
    }
    /// The one answer given since, of this kind.
    template <class Wanted>
    Wanted answer() {
        REQUIRE(out.effects.send.size() == 1);
        const auto frame = decode<Frame>(out.effects.send.front().bytes, "frame");
        out.effects.send.clear();
        REQUIRE(frame.ok());
        last = std::get<LocalAnswered>(frame->body);
        REQUIRE(std::holds_alternative<Wanted>(last.answer));
        return std::get<Wanted>(last.answer);
    }
    bool silent() const { return out.effects.send.empty(); }
    /// What was asked of the machine since.
    std::vector<ExecWork> work() { return std::exchange(out.effects.exec, {}); }
    template <class What>
    std::vector<What> work_of() {
        std::vector<What> found;
        for (const ExecWork& one : work())
            if (const auto* what = std::get_if<What>(&one.what)) found.push_back(*what);
        return found;
    }

    LocalDesk desk;
    ExecDesk exec{desk};
    Outbox out;
    Now now{TimePoint(1s), {}};
    std::uint64_t requests = 0;
    LocalAnswered last;
};

std::string text_of(const ExecOutput& output) {
    std::string out;
    for (const ExecPiece& piece : output.pieces) out += to_text(piece.data);
    return out;
}

}  // namespace

TEST_CASE("a command is begun, read from as it speaks, and ends with its code") {
    World world;
    world.ask(ExecStart{.session = kNumber, .task = "t", .argv = {"sh", "-c"}, .terminal = {}});
    CHECK_MESSAGE(world.silent(), "it is answered once the command runs");
    CHECK(world.work_of<ExecBegin>().front().argv.size() == 2);
    world.news(ExecBegan{});
    world.answer<Done>();
    world.read(0);
    CHECK_MESSAGE(world.silent(), "nothing to say yet");
    world.output("hello");
    CHECK(text_of(world.answer<ExecOutput>()) == "hello");
    world.news(ExecSaid{true, to_bytes("oops")});
    world.news(ExecEnded{.code = 3, .error = ""});
    world.read(5);
    const ExecOutput rest = world.answer<ExecOutput>();
    CHECK(rest.offset == 5);
    CHECK(rest.pieces.front().error_stream);
    CHECK(rest.exit == 3);
    world.ask(ExecStop{kNumber});
    world.answer<Done>();
    CHECK(world.exec.sessions() == 0);
}

TEST_CASE("output that was not taken is said again") {
    World world;
    world.start();
    world.output("abc");
    world.output("def");
    world.read(0);
    CHECK(text_of(world.answer<ExecOutput>()) == "abcdef");
    world.read(0);  // the answer was lost
    CHECK(text_of(world.answer<ExecOutput>()) == "abcdef");
    world.read(4);
    const ExecOutput rest = world.answer<ExecOutput>();
    CHECK(rest.offset == 4);
    CHECK(text_of(rest) == "ef");
    world.read(3);  // taken before
    world.answer<Done>();
    CHECK(world.last.code == Errc::corrupt);
}

TEST_CASE("the machine is let read one window beyond what has arrived") {
    World world;
    world.ask(ExecStart{.session = kNumber, .task = "t", .argv = {"sh"}, .terminal = {}});
    CHECK(world.work_of<ExecMore>().front().until == kExecWindow);
    world.news(ExecBegan{});
    world.answer<Done>();
    for (int part = 0; part < 4; ++part) world.output(std::string(kExecWindow / 4, 'x'));
    CHECK(world.work_of<ExecMore>().empty());
    world.read(0);
    const std::size_t got = text_of(world.answer<ExecOutput>()).size();
    CHECK(got == kExecPiecesMax);
    CHECK_MESSAGE(world.work_of<ExecMore>().empty(), "sent is not arrived");
    world.read(got);
    CHECK(world.work_of<ExecMore>().front().until == kExecWindow + got);
}

TEST_CASE("input is given to the command once, however often it arrives") {
    World world;
    world.start();
    world.write(0, "one");
    CHECK(to_text(world.work_of<ExecInput>().front().data) == "one");
    CHECK(world.silent());
    world.news(ExecConsumed{3});
    CHECK(world.answer<ExecTaken>().offset == 3);
    world.write(0, "one");  // the answer was lost
    CHECK(world.work_of<ExecInput>().empty());
    CHECK(world.answer<ExecTaken>().offset == 3);
    world.write(1, "ne two", true);
    const auto given = world.work_of<ExecInput>();
    REQUIRE(given.size() == 1);
    CHECK(to_text(given[0].data) == " two");
    CHECK(given[0].close);
    world.news(ExecConsumed{7});
    CHECK(world.answer<ExecTaken>().offset == 7);
    world.write(9, "gap");
    CHECK(world.work_of<ExecInput>().empty());
    CHECK(world.answer<ExecTaken>().offset == 7);
}

TEST_CASE("a command that does not read its input holds an answer, but not for ever") {
    World world;
    world.start();
    world.write(0, "deaf");
    CHECK(world.work_of<ExecInput>().size() == 1);
    world.pass(kExecHold - 1ms);
    CHECK(world.silent());
    world.news(ExecConsumed{1});
    world.pass(1ms);
    CHECK(world.answer<ExecTaken>().offset == 1);
    world.write(1, "eaf");
    CHECK(world.work_of<ExecInput>().empty());
    world.news(ExecEnded{.code = 0, .error = ""});
    CHECK_MESSAGE(world.answer<ExecTaken>().offset == 4, "what has ended takes whatever comes");
}

TEST_CASE("a terminal's size goes to the machine at once") {
    World world;
    world.start();
    world.ask(ExecWrite{kNumber, 0, {}, false, ExecSize{40, 120}});
    CHECK(world.work_of<ExecResize>().front().size == ExecSize{40, 120});
    CHECK(world.answer<ExecTaken>().offset == 0);
}

TEST_CASE("a session ends when its near side is silent, and nothing is left of it") {
    World world;
    world.start();
    for (int holds = 0; holds < 6; ++holds) {
        world.read(0);
        world.pass(kExecHold);
        CHECK(world.answer<ExecOutput>().pieces.empty());
    }
    world.pass(kExecSilence - kExecHold - 1ms);
    CHECK(world.exec.sessions() == 1);
    world.pass(1ms);
    CHECK(world.work_of<ExecKill>().size() == 1);
    CHECK(world.exec.sessions() == 0);
    CHECK_FALSE(world.exec.next_wakeup());
    world.read(0);
    world.answer<Done>();
    CHECK(world.last.code == Errc::not_found);
    CHECK(world.desk.under_way() == 0);
}

TEST_CASE("what cannot be begun leaves no session") {
    World world;
    world.ask(ExecStart{.session = kNumber, .task = "t", .argv = {}, .terminal = {}});
    world.answer<Done>();
    CHECK(world.last.code == Errc::invalid);
    world.ask(ExecStart{.session = kNumber, .task = "t", .argv = {"nope"}, .terminal = {}});
    world.news(ExecBegan{Error{Errc::not_found, "find executable \"nope\""}});
    world.answer<Done>();
    CHECK(world.last.error == "find executable \"nope\"");
    CHECK(world.exec.sessions() == 0);
    for (std::uint64_t at = 0; at < kExecSessionsMax; ++at)
        world.ask(ExecStart{{{5}, at + 10}, "t", {"sh"}, {}});
    world.out.effects.send.clear();
    world.ask(ExecStart{{{5}, 999}, "t", {"sh"}, {}});
    world.answer<Done>();
    CHECK(world.last.code == Errc::unavailable);
}

TEST_CASE("input that the command does not take is bounded, whatever the near side sends") {
    World world;
    world.start();
    std::size_t given = 0;
    const std::string much(kExecInputMax, 'x');
    const auto count = [&] {
        for (const ExecInput& input : world.work_of<ExecInput>()) given += input.data.size();
    };
    world.write(0, much + much, true);
    count();
    CHECK(given == kExecInputMax);
    world.write(kExecInputMax, much, true);  // and again, before any was taken
    count();
    CHECK(given == kExecInputMax);
    world.out.effects.send.clear();
    world.news(ExecConsumed{kExecInputMax});
    CHECK(world.answer<ExecTaken>().offset == kExecInputMax);
    world.write(kExecInputMax, "end", true);
    const auto last = world.work_of<ExecInput>();
    REQUIRE(last.size() == 1);
    CHECK(last[0].data.size() == 3);
    CHECK(last[0].close);
}

}  // namespace gaggle::node
