from scratch
Run echo 'it''s' "a\"b" \$x ${y:-z}
EXPOSE $PORTS 80
WORKDIR "/with quotes"
USER  bob  
COPY	tabs	between	/them/
ENV GREETING="héllo wörld" 名=値
STOPSIGNAL $SIG
