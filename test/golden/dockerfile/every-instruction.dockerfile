ARG BASE=alpine
FROM ${BASE}
maintainer Some One <some@one.example>
LABEL a=b
EXPOSE 80/tcp 443 8000-8010/udp
ENV A=B
ADD a /b
COPY a b /c/
VOLUME /data
USER app:app
WORKDIR /srv/app dir
ARG X
ONBUILD COPY . /src
onbuild add --chown=1 x /y
STOPSIGNAL SIGQUIT
SHELL ["/bin/sh", "-c"]
RUN echo
CMD echo
ENTRYPOINT exec top -b
HEALTHCHECK NONE
