# Made from packaging/homebrew/mixpanel.rb of the Mixpanel Connector.
class Mixpanel < Formula
  desc "Mixpanel from the command line: bulk imports, exports, every API operation"
  homepage "@URL@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@URL@/mixpanel-@VERSION@-osx-arm64.tar.gz"
      sha256 "@SHA256:osx-arm64@"
    end
  end

  on_linux do
    on_intel do
      url "@URL@/mixpanel-@VERSION@-linux-x64.tar.gz"
      sha256 "@SHA256:linux-x64@"
    end
    on_arm do
      url "@URL@/mixpanel-@VERSION@-linux-arm64.tar.gz"
      sha256 "@SHA256:linux-arm64@"
    end
  end

  def install
    libexec.install Dir["*"]
    bin.write_exec_script libexec/"mixpanel"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mixpanel --version")
  end
end
