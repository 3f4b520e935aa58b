a   =   <<EOT
x
