#include "gctl/agent/api_exec.h"

#include <algorithm>
#include <utility>

#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/json_value.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

/// What another peer answered, or why it did not.
template <class Wanted>
Result<Wanted> said(NodeReply reply, PeerId* by = nullptr) {
    if (!reply.ok()) return reply.error();
    auto* answer = std::get_if<node::PeerSaid>(&*reply);
    auto* wanted = answer == nullptr ? nullptr : std::get_if<Wanted>(&answer->what);
    if (wanted == nullptr) return Error{Errc::io, "the peer answered with something else"};
    if (by != nullptr) *by = answer->peer;
    return std::move(*wanted);
}

std::uint16_t cells(const Value& size, const char* name) {
    const auto count = member_or<std::int64_t>(size, name, 0);
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(count, 1, 10'000));
}

std::string stream_frame(const char* stream, Object what) {
    return value_to_json(val(Object{{stream, val(std::move(what))}}));
}

}  // namespace

node::AskPeer ExecFlow::ask(node::LocalQuestion what) const {
    return {.alloc = alloc_, .peer = peer_, .what = std::move(what)};
}

void ExecFlow::begin(Exchange& exchange) {
    exchange.ask(ask(start_), [](Exchange& later, NodeReply reply) {
        auto& self = static_cast<ExecFlow&>(*later.flow);
        const auto began = said<node::Done>(std::move(reply), &self.peer_);
        if (!began.ok()) return later.fail(began.error());
        later.accept_web_socket();
        self.read(later);
        self.listen(later);
    });
}

void ExecFlow::read(Exchange& exchange) {
    exchange.ask(ask(node::ExecRead{start_.session, read_}), [](Exchange& later, NodeReply reply) {
        auto& self = static_cast<ExecFlow&>(*later.flow);
        const auto output = said<node::ExecOutput>(std::move(reply));
        if (!output.ok()) return self.fail(later, output.error());
        self.got(later, *output);
    });
}

void ExecFlow::got(Exchange& exchange, const node::ExecOutput& output) {
    for (std::size_t at = 0; at < output.pieces.size(); ++at) {
        const node::ExecPiece& piece = output.pieces[at];
        read_ += piece.data.size();
        const bool last = at + 1 == output.pieces.size();
        exchange.piece(stream_frame(piece.error_stream ? "stderr" : "stdout",
                                    {{"data", val(to_base64(piece.data))}}),
                       last && !output.exit);
    }
    if (!output.exit) {
        if (output.pieces.empty()) read(exchange);  // else when it has left
        return;
    }
    exchange.piece(stream_frame("stdout", {{"close", val(true)}}), false);
    exchange.piece(stream_frame("stderr", {{"close", val(true)}}), false);
    Object end{{"exited", val(true)}, {"result", val(Object{{"exit_code", val(*output.exit)}})}};
    exchange.piece(value_to_json(val(std::move(end))), false);
    gone(exchange);
    exchange.end_stream();
}

void ExecFlow::written(Exchange& exchange) { read(exchange); }

void ExecFlow::message(Exchange& exchange, const std::string& text) {
    listening_ = false;
    const Result<Value> frame = value_from_json(text);
    if (!frame.ok())
        return fail(exchange,
                    {Errc::invalid, "a frame of the terminal is " + frame.error().detail});
    if (const Value* input = member(*frame, "stdin")) {
        const auto data = from_base64(member_or<std::string>(*input, "data", ""));
        if (!data) return fail(exchange, {Errc::invalid, "the data of stdin is no base64"});
        input_.insert(input_.end(), data->begin(), data->end());
        close_ = close_ || member_or<bool>(*input, "close", false);
    }
    if (const Value* size = member(*frame, "tty_size"))
        size_ = node::ExecSize{.rows = cells(*size, "height"), .columns = cells(*size, "width")};
    write(exchange);
    listen(exchange);
}

void ExecFlow::write(Exchange& exchange) {
    const bool news = !input_.empty() || size_ || (close_ && !close_sent_);
    if (writing_ || !news) return;
    const std::size_t count = std::min(input_.size(), node::kExecInputMax);
    node::ExecWrite what{.session = start_.session,
                         .offset = input_from_,
                         .data = {input_.begin(), input_.begin() + static_cast<long>(count)},
                         .close = close_ && count == input_.size(),
                         .size = std::exchange(size_, std::nullopt)};
    close_sent_ = close_sent_ || what.close;
    writing_ = true;
    exchange.ask(ask(std::move(what)), [](Exchange& later, NodeReply reply) {
        auto& self = static_cast<ExecFlow&>(*later.flow);
        self.writing_ = false;
        const auto taken = said<node::ExecTaken>(std::move(reply));
        if (!taken.ok()) return self.fail(later, taken.error());
        self.taken(later, taken->offset);
    });
}

void ExecFlow::taken(Exchange& exchange, std::uint64_t offset) {
    const std::uint64_t known = std::clamp(offset, input_from_, input_from_ + input_.size());
    input_.erase(input_.begin(), input_.begin() + static_cast<long>(known - input_from_));
    input_from_ = known;
    write(exchange);
    listen(exchange);
}

void ExecFlow::listen(Exchange& exchange) {
    if (listening_ || input_.size() >= node::kExecInputMax) return;
    listening_ = true;
    exchange.listen();
}

void ExecFlow::fail(Exchange& exchange, const Error& error) {
    gone(exchange);
    exchange.break_stream(error.detail);
}

void ExecFlow::gone(Exchange& exchange) {
    if (peer_.empty()) return;
    exchange.ask(ask(node::ExecStop{start_.session}), [](Exchange&, const NodeReply&) {});
}

namespace {

/// The words of the command, a JSON list; refused when it is none.
std::optional<std::vector<std::string>> command_of(Exchange& exchange) {
    const Result<Value> value = value_from_json(exchange.parameter("command"));
    const auto* list = value.ok() ? std::get_if<List>(&value->data) : nullptr;
    std::vector<std::string> words;
    if (list != nullptr)
        for (const Value& word : *list)
            if (const auto* text = std::get_if<std::string>(&word.data)) words.push_back(*text);
    if (list != nullptr && !words.empty() && words.size() == list->size()) return words;
    exchange.refuse(400,
                    "run a command in a task: wanted its words, a JSON list of texts, as "
                    "`command`");
    return std::nullopt;
}

}  // namespace

void exec_in_task(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    if (!exchange.request().upgrade)
        return exchange.refuse(400, "run a command in a task: this path wants a WebSocket");
    const std::optional<std::vector<std::string>> command = command_of(exchange);
    if (!command) return;
    const std::optional<bool> tty = flag(exchange, "tty");
    if (!tty) return;
    node::ExecStart start{.session = exchange.exec_number(),
                          .task = exchange.parameter("task"),
                          .argv = *command,
                          .terminal = std::nullopt};
    if (*tty) start.terminal = node::ExecSize{};
    with_alloc(exchange, [start](Exchange& later, const NamedAlloc& alloc) {
        node::ExecStart named = start;
        if (named.task.empty()) named.task = alloc.only_task();
        const std::string tasks = alloc.tasks().empty() ? "" : "; it has: " + alloc.tasks();
        if (named.task.empty()) return later.refuse(400, "say which task" + tasks);
        if (!alloc.may_have_task(named.task))
            return later.refuse(404, "unknown task name \"" + named.task + "\"" + tasks);
        auto flow = std::make_unique<ExecFlow>(alloc.id, std::move(named));
        ExecFlow& begun = *flow;
        later.flow = std::move(flow);
        begun.begin(later);
    });
}

}  // namespace gaggle
