using System.IO.Compression;
using System.Text;

namespace MixpanelConnector.Testing;

/// <summary>Makes ZIP archives.</summary>
public static class ZipOf
{
    /// <summary>An archive of text files.</summary>
    public static byte[] Texts(params (string Name, string Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in files)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }

        return stream.ToArray();
    }
}
