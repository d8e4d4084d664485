FROM --platform=$BUILDPLATFORM golang:1.22 AS build
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=x,source=/a,target=/b,rw --network=none make
RUN --network=host -- --not-a-flag
COPY --from=build --chown=app:app --chmod=u=rwX,go=rX --link --parents --exclude=*.md --exclude=!README.md a b /c/
COPY --link=false --parents=TRUE x /y
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d --unpack https://example.com/x.tar.gz /
ADD --unpack=false "--chown=a b" ovl.tar /
HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --start-interval=500ms --retries=3 CMD curl -f http://localhost/ || exit 1
HEALTHCHECK CMD ["/probe", "x"]
healthcheck none
