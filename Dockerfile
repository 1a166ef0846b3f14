# The embedded Mixpanel in a container: docker build -t mixpanel-emulator . && docker run --rm -p 127.0.0.1:8123:8123 mixpanel-emulator
# eng/container.sh does what stands here without a container runtime.
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
RUN apt-get update && apt-get install -y --no-install-recommends clang zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN dotnet publish src/MixpanelConnector.Tool.Native -c Release -o /app && mkdir /data

# No shell and no packages: what the program needs of the system, and a user that is not root.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled
COPY --from=build /app /app
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
USER $APP_UID
EXPOSE 8123
VOLUME /data
HEALTHCHECK --interval=5s --timeout=6s --start-period=10s CMD ["/app/mixpanel", "emulator", "health"]
ENTRYPOINT ["/app/mixpanel", "emulator", "--any-address", "--data", "/data"]
