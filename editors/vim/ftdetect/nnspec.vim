autocmd BufRead,BufNewFile *.nnspec setfiletype nnspec
