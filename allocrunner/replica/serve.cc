#include "allocrunner/replica/serve.h"

#include <algorithm>

namespace gaggle::replica {

namespace {

Duration time_for(std::uint64_t bytes, std::uint64_t bytes_per_second) {
    return Duration(bytes * 1'000'000 / std::max<std::uint64_t>(bytes_per_second, 1));
}

}  // namespace

void Server::take(Context& context, const PeerId& from, const WantTree& want,
                  const Served& served) {
    if (want.offset >= served.tree_bytes) return;
    enqueue(context, {from, want.lineage, want.version, served, want.offset});
}

void Server::take(Context& context, const PeerId& from, const WantBlocks& want,
                  const Served& served) {
    enqueue(context, {from, want.lineage, want.version, served, want.blocks});
}

void Server::enqueue(Context& context, Request request) {
    if (waiting_.size() < context.config.requests_max) waiting_.push_back(std::move(request));
    tick(context);
}

void Server::tick(Context& context) {
    const Config& config = context.config;
    while (!waiting_.empty() && under_way_.size() < config.reads_max &&
           paced_until_ <= context.now + config.burst) {
        Request request = std::move(waiting_.front());
        waiting_.pop_front();
        std::uint64_t size = 0;
        std::uint64_t work = 0;
        if (const auto* offset = std::get_if<std::uint64_t>(&request.what)) {
            size = std::min<std::uint64_t>(kTreeSliceBytes, request.served.tree_bytes - *offset);
            work = context.begin(ReadTree{.side = request.served.side,
                                          .lineage = request.lineage,
                                          .root = request.served.root,
                                          .offset = *offset,
                                          .size = size});
        } else {
            const auto& blocks = std::get<std::vector<BlockRef>>(request.what);
            size = blocks.size() * kBlockBytes;
            work = context.begin(ReadBlocks{.side = request.served.side,
                                            .lineage = request.lineage,
                                            .root = request.served.root,
                                            .blocks = blocks});
        }
        paced_until_ =
            std::max(paced_until_, context.now) + time_for(size, config.bytes_per_second);
        under_way_.emplace(work, std::move(request));
    }
}

std::optional<Server::Request> Server::take_under_way(std::uint64_t work) {
    auto node = under_way_.extract(work);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
}

void Server::on(Context& context, const TreeRead& read) {
    const auto request = take_under_way(read.work);
    if (!request) return;
    if (!read.error.empty())
        context.send(request->from, Gone{request->lineage, request->version});
    else
        context.send(request->from, TreeSlice{request->lineage, request->version,
                                              std::get<std::uint64_t>(request->what), read.bytes});
    tick(context);
}

std::optional<Lineage> Server::on(Context& context, const BlocksRead& read) {
    const auto request = take_under_way(read.work);
    if (!request) return std::nullopt;
    if (!read.blocks.empty())
        context.send(request->from, Blocks{request->lineage, request->version, read.blocks});
    if (read.changed) context.send(request->from, Gone{request->lineage, request->version});
    tick(context);
    if (!read.changed) return std::nullopt;
    return request->lineage;
}

std::optional<TimePoint> Server::next_wakeup(const Config& config) const {
    if (waiting_.empty() || under_way_.size() >= config.reads_max) return std::nullopt;
    return paced_until_ - config.burst;
}

}  // namespace gaggle::replica
