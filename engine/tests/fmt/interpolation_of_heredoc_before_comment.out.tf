a = "${<<EOT
x
EOT
}" # comment
b = c == <<EOT
x
EOT
