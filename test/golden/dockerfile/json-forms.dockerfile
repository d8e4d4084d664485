FROM scratch
CMD ["a", "b c", "\u0041\"\\"]
CMD []
CMD ['single', 'quotes']
CMD ["unfinished", "array"
CMD ["a"] and more
ENTRYPOINT [ ]
ENTRYPOINT   [ "spaced" , "out" ]
RUN ["/bin/x"]
COPY ["a b", "c d", "/to here/"]
VOLUME ["/v one", "/v2"]
VOLUME /v3 /v4
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
