#include "gctl/node/admission.h"

namespace gaggle::node {

ledger::Newcomer newcomer_from(const Certificate& certificate, std::string name,
                               std::string datacenter) {
    return {
        .id = gaggle::id_of(certificate),
        .public_key = Bytes(certificate.body.peer.bytes.begin(), certificate.body.peer.bytes.end()),
        .curve_key =
            Bytes(certificate.body.curve.bytes.begin(), certificate.body.curve.bytes.end()),
        .certificate = encode(certificate),
        .name = std::move(name),
        .datacenter = std::move(datacenter),
        .rights = certificate.body.rights.bits};
}

Admission::Admission(PublicKey authority, RegionId region, std::string region_name,
                     Directory& directory, Courier& courier)
    : authority_(authority),
      region_(region),
      region_name_(std::move(region_name)),
      directory_(directory),
      courier_(courier) {}

void Admission::on(Now now, const Knocked& knocked, Outbox& out) {
    if (waiting_ >= kKnocksMax)
        return refuse(knocked, "too many newcomers at once; try again in a moment", out);
    const auto knock =
        decode<Knock>(knocked.bytes, "knock", Limits{.fields = Fields::exact, .bytes = 8192});
    if (!knock.ok()) return refuse(knocked, knock.error().detail, out);
    if (const auto verified = verify_knock(*knock, authority_, region_, now.wall); !verified.ok())
        return refuse(knocked, verified.error().detail, out);
    const Certificate& certificate = knock->body.certificate;
    const InvitationScope* scope = scope_of(certificate);
    if (scope == nullptr)
        return refuse(knocked, "knock: the certificate is a founder's, which needs no admission",
                      out);
    const auto& grant = std::get<InvitationGrant>(certificate.body.grant);
    const ledger::Admit admit{.who = newcomer_from(certificate, "", knock->body.datacenter),
                              .invitation = {.serial = {scope->serial.bytes},
                                             .issuer = {grant.body.issuer.body.serial.bytes},
                                             .uses_max = scope->uses,
                                             .expiry = scope->expires}};
    ++waiting_;
    courier_.submit(
        now, admit, 10s,
        [this, knocked, bytes = encode(certificate)](Now, Result<CommandResult> result,
                                                     Outbox& box) {
            --waiting_;
            if (!result.ok()) return refuse(knocked, result.error().detail, box);
            if (result->refused || !result->admitted) return refuse(knocked, result->why, box);
            if (const auto known = directory_.admit(bytes); !known.ok())
                return refuse(knocked, known.error().detail, box);
            box.effects.keyring = directory_.keyring();
            answer(knocked, {.error = "", .number = *result->admitted}, box);
        },
        out);
}

void Admission::answer(const Knocked& knocked, KnockAnswer answer, Outbox& out) {
    answer.epoch = out.epoch;
    answer.region_name = region_name_;
    answer.cards.emplace_back(out.self, own_card_);
    for (const auto& [id, known] : directory_.all()) {
        if (answer.cards.size() == kCardsForNewcomer) break;
        if (known.liveness == Liveness::alive && id != out.self)
            answer.cards.emplace_back(id, encode(known.card));
    }
    out.effects.lobby.push_back({knocked.token, encode(answer)});
}

void Admission::refuse(const Knocked& knocked, std::string why, Outbox& out) {
    out.note("a newcomer was refused: " + why);
    out.effects.lobby.push_back({knocked.token, encode(KnockAnswer{.error = std::move(why)})});
}

}  // namespace gaggle::node
