a  =  <<EOT
 x
EOT