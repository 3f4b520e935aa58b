a = <<EOT
  untouched   ${x}   text
	tab
EOT
b = 1
