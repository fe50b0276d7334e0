from checkoutgen.cli import main

main()
