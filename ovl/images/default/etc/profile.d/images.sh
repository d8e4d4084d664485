# Lists the images that are on this VM, pre-pulled ones with them.
alias images=list-images
