using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace MixpanelConnector.Emulator.Http.Tls;

/// <summary>The name constraints extension of RFC 5280, §4.2.1.10, for which .NET has no type.</summary>
static class NameConstraints
{
    public static X509Extension PermittingMixpanelAndLoopback()
    {
        var (permitted, dnsName, address) =
            (new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true), new Asn1Tag(TagClass.ContextSpecific, 2), new Asn1Tag(TagClass.ContextSpecific, 7));
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(permitted))
        {
            foreach (var name in (string[])["mixpanel.com", "localhost"])
            {
                using (writer.PushSequence())
                    writer.WriteCharacterString(UniversalTagNumber.IA5String, name, dnsName);
            }
            foreach (var loopback in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
            {
                using (writer.PushSequence()) // the address, and a mask that matches exactly it
                    writer.WriteOctetString([.. loopback.GetAddressBytes(), .. loopback.GetAddressBytes().Select(_ => (byte)0xFF)], address);
            }
        }
        return new X509Extension("2.5.29.30", writer.Encode(), critical: true);
    }
}
