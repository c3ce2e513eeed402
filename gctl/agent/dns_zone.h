// The zone "gaggle": services as names.
//
//     web.service.gaggle                       A, AAAA, SRV: the usable instances, in random order
//     blue.web.service.gaggle                  those with the tag "blue"
//     _web._tcp.service.gaggle                 SRV as RFC 2782 writes it; _web._blue. with a tag
//     web.service.shop.ns.berlin.dc.gaggle     of a namespace, of a datacenter; either may be
//     missing 7f000001.addr.gaggle                     an address as a name: what SRV records point
//     to
//
// An unknown name does not exist; a service without a usable instance exists and has no records.
// Everything else is refused: this is no resolver. Nothing is remembered, so nothing goes stale but
// the catalogue itself.
#pragma once

#include <functional>

#include "base/rng.h"
#include "gctl/agent/dns_message.h"
#include "gctl/node/service_book.h"

namespace gaggle::dns {

inline constexpr std::uint32_t kTtl = 2;            ///< seconds, also of what does not exist
inline constexpr std::size_t kInstancesMax = 1024;  ///< in one answer

/// Where services are looked up.
using FindService = std::function<node::FoundServices(const node::WantedService&)>;

/// `server` is where the zone is served, an IP address: what its NS record leads to.
Answer answer_of(const FindService& find, const Question& question, const std::string& server,
                 Rng& rng);

}  // namespace gaggle::dns
