#include "gctl/node/permit.h"

#include "crypto/invitation.h"
#include "gctl/node/admission.h"

namespace gaggle::node {

namespace {

using Refusal = std::optional<std::string>;

/// One overload per kind of command; a kind without one is the leader's own.
class Judge {
  public:
    Judge(const Permit& permit, const ledger::Ledger& ledger, const PeerId& from)
        : permit_(permit), ledger_(ledger), from_(from), sender_(ledger.peer(from)) {}

    template <class LeadersOwn>
    Refusal operator()(const LeadersOwn&) const {
        if (from_ == permit_.self) return std::nullopt;
        return "only the leader says this";
    }

    Refusal operator()(const ledger::Admit& admit) const {
        const auto certificate = decode<Certificate>(admit.who.certificate, "certificate",
                                                     Limits{.fields = Fields::exact});
        if (!certificate.ok()) return certificate.error().detail;
        if (const auto held = verify(*certificate, permit_.authority, permit_.region); !held.ok())
            return held.error().detail;
        const InvitationScope* scope = scope_of(*certificate);
        if (scope == nullptr) return "the certificate is a founder's";
        const auto& grant = std::get<InvitationGrant>(certificate->body.grant);
        const ledger::InvitationUse& use = admit.invitation;
        const ledger::Newcomer& who = admit.who;
        const bool same = newcomer_from(*certificate, who.name, who.datacenter) == who &&
                          (scope->datacenter.empty() || scope->datacenter == who.datacenter) &&
                          scope->serial.bytes == use.serial.bytes &&
                          grant.body.issuer.body.serial.bytes == use.issuer.bytes &&
                          scope->uses == use.uses_max && scope->expires == use.expiry;
        if (!same) return "the admission says something else than its certificate";
        return std::nullopt;
    }

    Refusal operator()(const ledger::Expel& expel) const {
        const auto expulsion =
            decode<Expulsion>(expel.statement, "expulsion", Limits{.fields = Fields::exact});
        if (!expulsion.ok()) return expulsion.error().detail;
        if (expulsion->body.peer != expel.peer) return "the statement is about another peer";
        if (const auto held = verify(*expulsion, permit_.authority, permit_.region); !held.ok())
            return held.error().detail;
        return std::nullopt;
    }

    Refusal operator()(const ledger::Offered& offered) const { return itself(offered.peer); }
    Refusal operator()(const ledger::Reports& reports) const { return itself(reports.peer); }
    Refusal operator()(const ledger::ReleasePort& release) const {
        const auto* alloc = ledger_.alloc(release.alloc);
        return itself(alloc != nullptr ? alloc->peer : PeerNumber{});
    }
    Refusal operator()(const ledger::Collect&) const { return right(Right::submit); }
    Refusal operator()(const ledger::OpenSession& open) const { return claimant(open.claimant); }
    Refusal operator()(const ledger::Bundles& bundles) const {
        for (const ledger::Bundle& bundle : bundles.bundles)
            if (auto refused = claimant(bundle.claimant)) return refused;
        return std::nullopt;
    }
    Refusal operator()(const ledger::StopAlloc&) const { return right(Right::submit); }
    Refusal operator()(const ledger::HoldersChanged& changed) const {
        for (const auto* peers : {&changed.holders, &changed.dropped})
            for (const PeerNumber peer : *peers)
                if (auto refused = itself(peer)) return refused;
        return right(Right::hold);
    }

  private:
    Refusal itself(PeerNumber peer) const {
        if (sender_ != nullptr && sender_->number == peer) return std::nullopt;
        return "peer " + short_text(from_) + " speaks for peer " + std::to_string(peer.value) +
               ", which it is not";
    }
    Refusal right(Right needed) const {
        const bool has = sender_ != nullptr &&
                         Rights{static_cast<std::uint8_t>(sender_->who.rights)}.has(needed);
        if (has) return std::nullopt;
        return "peer " + short_text(from_) + " has no right to " + to_string(Rights::of({needed})) +
               "; it needs another certificate";
    }
    Refusal claimant(PeerNumber peer) const {
        if (auto refused = itself(peer)) return refused;
        return right(Right::submit);
    }

    const Permit& permit_;
    const ledger::Ledger& ledger_;
    const PeerId& from_;
    const ledger::PeerRecord* sender_;
};

}  // namespace

std::optional<std::string> refusal(const Permit& permit, const ledger::Ledger& ledger,
                                   const PeerId& from, const ledger::Command::What& what) {
    return std::visit(Judge(permit, ledger, from), what);
}

}  // namespace gaggle::node
