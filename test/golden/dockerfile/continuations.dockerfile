FROM alpine AS Build
RUN one && \   
    # a comment in between
    two && \

    three
RUN back\\
CMD echo \
# a comment at the end
  done
LABEL a=b \
