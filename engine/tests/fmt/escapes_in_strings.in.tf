a="\"quoted\"   \\ ${ x } $${not} %%{this}"
b="tab\t  #no comment // none /* none */"
