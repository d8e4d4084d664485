FROM scratch
ADD --chown=0:0 ovl.tar /
CMD ["/bin/controller"]
