// The agent itself, its members and its commit group.
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_members.h"

namespace gaggle {

namespace {

using node::Answer;
using node::Members;
using node::SelfInfo;

/// Asks the node about itself; anything but `Wanted` ends the exchange.
template <class Wanted, class Question>
void ask_self(Exchange& exchange, Question question, std::function<void(Exchange&, Wanted&)> then) {
    exchange.ask(std::move(question), [then = std::move(then)](Exchange& later, NodeReply reply) {
        if (!reply.ok()) return later.fail(reply.error());
        auto* wanted = std::get_if<Wanted>(&*reply);
        if (wanted == nullptr) return later.refuse(500, "the node answered with something else");
        then(later, *wanted);
    });
}

IndexHeaders headers_of(const node::RegionStatus& region) {
    return {.index = region.applied.value, .known_leader = !region.leader.empty()};
}

struct Picture {
    SelfInfo self;
    Members members;
};

/// This peer's own view of itself and of everybody; asks nobody else, so it works alone.
void ask_picture(Exchange& exchange, std::function<void(Exchange&, const Picture&)> then) {
    ask_self<SelfInfo>(exchange, node::DescribeSelf{}, [then](Exchange& later, SelfInfo& self) {
        ask_self<Members>(later, node::ListMembers{}, [then, self](Exchange& last, Members& all) {
            then(last, Picture{self, std::move(all)});
        });
    });
}

/// As a full copy sees the group; `picture` where no copy answers.
void ask_region(Exchange& exchange, const Picture& picture, bool stale,
                std::function<void(Exchange&, const node::RegionStatus&)> then) {
    const node::Query query{.kind = node::QueryKind::region, .stale = stale};
    exchange.ask(query, [picture, stale, then](Exchange& later, NodeReply reply) {
        const auto* answer = reply.ok() ? std::get_if<Answer>(&*reply) : nullptr;
        if (answer != nullptr && answer->region) return then(later, *answer->region);
        if (!stale) return ask_region(later, picture, true, then);
        then(later, picture.self.region);
    });
}

/// Only the leader knows how far each replica is; without one, any full copy tells what it knows.
void ask_group(Exchange& exchange, const Picture& picture,
               std::function<void(Exchange&, const node::RegionStatus&)> then) {
    const PeerId& leader = picture.self.region.leader;
    bool reachable = false;
    for (const node::MemberInfo& member : picture.members.members)
        reachable = reachable || (member.id == leader && member.state == "alive");
    ask_region(exchange, picture, leader.empty() || !reachable, std::move(then));
}

}  // namespace

void show_leader(Exchange& exchange) {
    ask_picture(exchange, [](Exchange& later, const Picture& picture) {
        std::string address;
        for (const node::MemberInfo& member : picture.members.members)
            if (member.id == picture.self.region.leader) address = rpc_address(member);
        later.respond(headers_of(picture.self.region), val(address));
    });
}

void list_raft_peers(Exchange& exchange) {
    ask_picture(exchange, [](Exchange& later, const Picture& picture) {
        ask_group(later, picture, [picture](Exchange& last, const node::RegionStatus& region) {
            List addresses;
            for (const node::GroupMember& replica : region.members)
                for (const node::MemberInfo& member : picture.members.members)
                    if (member.id == replica.peer && replica.role == node::Role::voter)
                        addresses.push_back(val(rpc_address(member)));
            last.respond(headers_of(region), val(std::move(addresses)));
        });
    });
}

void list_members(Exchange& exchange) {
    ask_self<Members>(exchange, node::ListMembers{}, [](Exchange& later, Members& members) {
        later.respond({}, render_members(members, later.info()));
    });
}

void show_self(Exchange& exchange) {
    ask_self<SelfInfo>(exchange, node::DescribeSelf{}, [](Exchange& later, SelfInfo& self) {
        later.respond(headers_of(self.region), render_self(self, later.info()));
    });
}

/// Nomad's two halves: the client runs tasks, the server knows a leader. 500 when one is not well.
void show_health(Exchange& exchange) {
    ask_self<SelfInfo>(exchange, node::DescribeSelf{}, [](Exchange& later, SelfInfo& self) {
        const std::string type = later.parameter("type");
        const bool known = !self.region.leader.empty();
        Object body;
        if (type != "server")
            body["client"] = val(Object{{"ok", val(true)}, {"message", val("ok")}});
        if (type != "client")
            body["server"] = val(
                Object{{"ok", val(known)}, {"message", val(known ? "ok" : "No cluster leader")}});
        if (type != "client" && !known)
            return later.respond(headers_of(self.region), val(std::move(body)), 500);
        later.respond(headers_of(self.region), val(std::move(body)));
    });
}

void list_regions(Exchange& exchange) {
    exchange.respond({}, val(List{val(exchange.info().region)}));
}

namespace {

Value default_namespace() {
    return val(Object{{"Name", val("default")},
                      {"Description", val("Default shared namespace")},
                      {"Quota", val("")},
                      {"Hash", val("")},
                      {"Capabilities", null()},
                      {"Meta", null()},
                      {"CreateIndex", val(1)},
                      {"ModifyIndex", val(1)}});
}

}  // namespace

void list_namespaces(Exchange& exchange) { exchange.respond({}, val(List{default_namespace()})); }

void show_namespace(Exchange& exchange) {
    if (exchange.id() != "default") return exchange.refuse(404, "namespace not found");
    exchange.respond({}, default_namespace());
}

void show_region(Exchange& exchange) {
    ask_picture(exchange, [](Exchange& later, const Picture& picture) {
        ask_group(later, picture, [picture](Exchange& last, const node::RegionStatus& region) {
            last.respond(headers_of(region), render_region(region, picture.members));
        });
    });
}

void expel_peer(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    const std::optional<Value> body = body_object(exchange);
    if (!body) return;
    const auto statement = from_base64(member_or<std::string>(*body, "Statement", ""));
    if (!statement || statement->empty())
        return exchange.refuse(400,
                               "expel a peer: wanted the signed statement, in base64, as "
                               "Statement; `gctl cluster expel` makes it");
    exchange.ask(node::ExpelPeer{*statement}, [](Exchange& later, NodeReply reply) {
        if (!reply.ok()) return later.fail(reply.error());
        later.respond({}, val(Object{}));
    });
}

}  // namespace gaggle
